package supervisor

import "time"

// Rusage is what PID 1 knows of the processes that it has waited for.
type Rusage struct {
	CPU    time.Duration
	MaxRSS int64 // bytes, of the largest process
}

// Usage is what the sandbox has used so far, from the best source for each: the
// control group, else PID 1's account, else samples. PID 1 itself is not counted
// among the pids. The second result are the limits that the program met and
// survived. Call it after Stop, and before the control group is removed.
func (w *Watch) Usage(account Rusage) (Usage, []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	u := Usage{
		WallSeconds:     w.wall.Seconds(),
		CPUSeconds:      max(account.CPU, w.used).Seconds(),
		PeakMemoryBytes: max(account.MaxRSS, w.memory),
		PeakPids:        max(w.peak, 1),
	}
	if cpu, ok := w.cgroup.CPU(); ok {
		u.CPUSeconds = max(cpu, account.CPU).Seconds()
		u.WholeTree = append(u.WholeTree, "cpu_seconds")
	}
	if peak, ok := w.cgroup.PeakMemory(); ok && peak > 0 {
		u.PeakMemoryBytes = peak
		u.WholeTree = append(u.WholeTree, "peak_memory_bytes")
	}
	peak, denied, ok := w.cgroup.Pids()
	if ok && peak > 1 {
		u.PeakPids = peak - 1
		u.WholeTree = append(u.WholeTree, "peak_pids")
	}
	hit := w.hit
	if denied {
		hit = addLimit(hit, "pids")
	}
	return u, hit
}

// AtMemoryLimit is whether the kernel has told that the tree was at its memory
// limit, of which a program may have felt nothing.
func (w *Watch) AtMemoryLimit() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.atLimit
}
