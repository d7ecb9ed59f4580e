package supervisor

import (
	"os"
	"runtime"
	"sync"
	"time"
)

// Limits are the limits that a Watch keeps; zero is none. The others are kept by
// the kernel: memory and pids by the control group, file size, open files and
// each process's CPU time by setrlimit(2), output by Stdio.
type Limits struct {
	Wall, CPU time.Duration
	Pids      int // processes and threads, without PID 1
	OpenFiles int // of one process
}

// Watch keeps the limits of a running sandbox and notes which ones it meets.
//
// What can be known of a limit depends on the kernel. Wall and CPU time, memory
// and output are certain: the supervisor or the kernel kills for them. A refused
// fork is certain where a control group counts (pids.events), else it is seen
// only if a sample falls on a full tree. The kernel does not tell of EMFILE, so
// open_files is seen only in samples, which start 10 ms apart and go on once a
// second. It does not tell of EFBIG either, and Python ignores SIGXFSZ, so
// file_size is known only where that signal ended the program (NewReport).
type Watch struct {
	limits  Limits
	cgroup  *Cgroup
	tree    tree
	started time.Time
	spent   time.Duration // CPU time of the group before the program began
	end     func(Cause)

	countsPids bool // the control group does

	alarm *os.File      // readable on a memory event; its deadline is the clock
	done  chan struct{} // closed when the goroutine has ended

	// Of the goroutine alone:
	pause   time.Duration // until the next sample
	sampled time.Time     // when the last sample was taken
	suspect int           // looks to go since the last memory event

	mu      sync.Mutex
	stopped bool
	peak    int           // most tasks in a sample
	hit     []string      // limits seen to be met
	used    time.Duration // most CPU time in a sample
	memory  int64         // most bytes of one process in a sample
	wall    time.Duration // when stopped
	atLimit bool          // the tree has been at its memory limit
}

// The pace of a watch. Near the CPU limit, a look each 10 ms lets n processors
// run over by n times that. Samples come soon at first, because most programs
// are short, and never take more than a hundredth of a processor.
const (
	fastest     = 10 * time.Millisecond
	firstSample = 50 * time.Millisecond
	slowest     = time.Second
	thrift      = 100
)

// A memory event precedes the kill that it is about: suspicion is how many looks
// the kill may take. The first ones are in haste where systemd removes the group,
// and its counters, a few milliseconds after the kill.
const (
	suspicion = 150
	hasty     = 50
	haste     = time.Millisecond
)

// StartWatch watches the sandbox whose PID 1 is pid and whose clock started at
// started. The program must not have begun. It calls end, in its own goroutine, for each limit that ends the run;
// the caller keeps the first cause. cgroup may be nil.
func StartWatch(limits Limits, cgroup *Cgroup, pid int, started time.Time, end func(Cause)) (*Watch, error) {
	w := &Watch{
		limits: limits, cgroup: cgroup, tree: tree{root: pid}, started: started, end: end,
		done: make(chan struct{}), pause: firstSample, sampled: time.Now(),
	}
	w.spent, _ = cgroup.CPU()
	_, _, w.countsPids = cgroup.Pids()
	var err error
	if w.alarm, err = cgroup.alarm(); err != nil {
		return nil, err
	}
	go w.run()
	return w, nil
}

// Stop ends the watch. It looks a last time whether the kernel killed for memory,
// which the end of the program may be the first sign of. Call it when the
// program's status has come, while PID 1 still keeps the control group alive: what
// is counted from here on is not the program's. It is safe to call twice.
func (w *Watch) Stop() {
	w.mu.Lock()
	if !w.stopped {
		w.stopped, w.wall = true, time.Since(w.started)
	}
	w.mu.Unlock()
	_ = w.alarm.SetReadDeadline(time.Unix(1, 0))
	<-w.done
	_ = w.alarm.Close()
	w.cgroup.note()
	w.checkMemory()
}

// run sleeps in a read of the alarm, whose deadline is the next look.
func (w *Watch) run() {
	defer close(w.done)
	var event [256]byte
	for w.arm(w.look()) {
		if n, _ := w.alarm.Read(event[:]); n > 0 {
			w.suspect = suspicion
			w.cgroup.note()
			w.mu.Lock()
			w.atLimit = true
			w.mu.Unlock()
		}
	}
}

// arm sets the time of the next look, unless the watch has been stopped; a
// negative pause is for ever.
func (w *Watch) arm(pause time.Duration) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped {
		return false
	}
	var deadline time.Time
	if pause >= 0 {
		deadline = time.Now().Add(pause)
	}
	return w.alarm.SetReadDeadline(deadline) == nil
}

// look checks what is due and returns how long nothing can happen.
func (w *Watch) look() time.Duration {
	next := time.Duration(-1)
	for _, check := range []func() time.Duration{w.lookWall, w.lookMemory, w.lookCPU, w.lookSample} {
		if d := check(); d >= 0 && (next < 0 || d < next) {
			next = d
		}
	}
	return next
}

func (w *Watch) lookWall() time.Duration {
	if w.limits.Wall <= 0 {
		return -1
	}
	left := w.limits.Wall - time.Since(w.started)
	if left > 0 {
		return left
	}
	w.kill(Cause{Kind: CauseWall})
	return slowest
}

// lastLook is how many processes a sample before a kill looks at. Among those of a
// fork bomb the supervisor gets little time, and a sample of all takes seconds.
const lastLook = 32

// wallIsOver is whether a sample must not go on: what it has seen is enough.
func (w *Watch) wallIsOver(int) bool {
	return w.limits.Wall > 0 && time.Since(w.started) >= w.limits.Wall
}

// kill ends the run, after a short look at what ends with it: what was used by
// processes that nobody waits for is known of the living only.
func (w *Watch) kill(c Cause) {
	w.note(w.tree.sample(func(looked int) bool { return looked == lastLook }))
	w.end(c)
	w.cgroup.note()
}

// note keeps what a sample tells.
func (w *Watch) note(s sample) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.peak, w.used, w.memory = max(w.peak, s.tasks), max(w.used, s.cpu), max(w.memory, s.memory)
	if w.limits.OpenFiles > 0 && s.openFiles >= w.limits.OpenFiles {
		w.hit = addLimit(w.hit, "open_files")
	}
	if w.limits.Pids > 0 && !w.countsPids && s.tasks >= w.limits.Pids {
		w.hit = addLimit(w.hit, "pids")
	}
}

func (w *Watch) lookMemory() time.Duration {
	if w.suspect == 0 {
		return -1
	}
	w.suspect--
	w.checkMemory()
	if w.cgroup.Kind == CgroupSystemd && w.suspect >= suspicion-hasty {
		return haste
	}
	return fastest
}

// checkMemory ends the run if the kernel had to kill: the limit is the tree's.
func (w *Watch) checkMemory() {
	if w.cgroup.OOMKills() > 0 {
		w.suspect = 0
		w.end(Cause{Kind: CauseMemory})
	}
}

// lookCPU waits for as long as all processors together need to use up what is
// left. What is counted is never more than the program has used.
func (w *Watch) lookCPU() time.Duration {
	if w.limits.CPU <= 0 {
		return -1
	}
	begin := time.Now()
	used, ok := w.cgroup.CPU()
	used -= w.spent
	if !ok {
		used = w.tree.sample(w.wallIsOver).cpu
	}
	left := w.limits.CPU - used
	if left > 0 {
		return max(left/time.Duration(runtime.NumCPU()), fastest, time.Since(begin)*thrift/10)
	}
	w.kill(Cause{Kind: CauseCPU})
	return slowest
}

// lookSample notes the limits of which nothing else tells.
func (w *Watch) lookSample() time.Duration {
	if w.limits.OpenFiles <= 0 && (w.limits.Pids <= 0 || w.countsPids) {
		return -1
	}
	if left := w.pause - time.Since(w.sampled); left > 0 {
		return left
	}
	begin := time.Now()
	w.note(w.tree.sample(w.wallIsOver))
	w.sampled = time.Now()
	w.pause = max(min(2*w.pause, slowest), w.sampled.Sub(begin)*thrift)
	return w.pause
}
