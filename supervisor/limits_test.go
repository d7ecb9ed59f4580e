package supervisor

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// watched runs a shell script as PID 1 of nothing, in a group or not, until it
// ends or the watch says so.
func watched(t *testing.T, limits Limits, group *CgroupLimits, script string) (Cause, Usage, []string, time.Duration) {
	t.Helper()
	return watchedUntil(t, limits, group, script, func(Usage, []string) bool { return false })
}

// watchedUntil ends the script also when enough has been seen of what it uses and meets.
func watchedUntil(t *testing.T, limits Limits, group *CgroupLimits, script string, enough func(Usage, []string) bool) (Cause, Usage, []string, time.Duration) {
	t.Helper()
	var c *Cgroup
	var command *exec.Cmd
	if group != nil {
		c, command = held(t, *group, script)
	} else {
		command = exec.Command("sh", "-c", script)
		command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
	}
	var cause FirstCause
	killAll := func() {
		kill(c)
		_ = unix.Kill(-command.Process.Pid, unix.SIGKILL)
		_ = command.Process.Kill()
	}
	begin := time.Now()
	w, err := StartWatch(limits, c, command.Process.Pid, begin, func(cause0 Cause) {
		cause.Set(cause0)
		killAll()
	})
	if err != nil {
		t.Fatal(err)
	}
	until(func() bool { return hasEnded(command) || enough(w.Usage(Rusage{})) })
	if !hasEnded(command) {
		killAll()
	}
	_ = command.Wait()
	took := time.Since(begin)
	w.Stop()
	if status := command.ProcessState.Sys().(syscall.WaitStatus); status.Signaled() && w.AtMemoryLimit() {
		cause.Set(Cause{Kind: CauseMemory}) // as NewReport has it, if nothing came first
	}
	usage, hit := w.Usage(Rusage{CPU: command.ProcessState.UserTime(), MaxRSS: 4096})
	return cause.Get(), usage, hit, took
}

func TestWatchWall(t *testing.T) {
	leaks(t)
	inTime(t, func() (late string) {
		cause, _, _, took := watched(t, Limits{Wall: 200 * time.Millisecond}, nil, "sleep 300")
		if cause.Kind != CauseWall || took < 200*time.Millisecond {
			t.Errorf("%+v after %v", cause, took)
		}
		if took > 400*time.Millisecond {
			return fmt.Sprintf("ended after %v", took)
		}
		return ""
	})
	begin := time.Now()
	cause, usage, _, _ := watched(t, Limits{Wall: 2 * patience}, nil, "sleep 0.2")
	if cause.Kind != CauseNone || usage.WallSeconds < 0.15 || usage.WallSeconds > time.Since(begin).Seconds() {
		t.Errorf("control: %+v, %+v", cause, usage)
	}
}

const burn = `/usr/bin/python3 -I -S -c '
import os, time
os.fork()
while time.process_time() < 5: pass
'; :`

func TestWatchCPU(t *testing.T) {
	for name, group := range map[string]*CgroupLimits{
		"counted by a group": {CountCPU: true, Group: removers()},
		"sampled":            nil,
	} {
		t.Run(name, func(t *testing.T) {
			leaks(t)
			limit := 600 * time.Millisecond
			inTime(t, func() (late string) {
				cause, usage, _, took := watched(t, Limits{CPU: limit}, group, burn)
				if cause.Kind != CauseCPU {
					t.Fatalf("%+v after %v", cause, took)
				}
				if usage.CPUSeconds > 3 { // of the 10 s that it would burn
					return fmt.Sprintf("used %v s, want little more than %v", usage.CPUSeconds, limit)
				}
				return ""
			})
		})
	}
	cause, _, _, _ := watched(t, Limits{CPU: 300 * time.Millisecond}, nil, "sleep 1")
	if cause.Kind != CauseNone {
		t.Errorf("a program that sleeps: %+v", cause)
	}
}

// What the sandbox has used before its program begins is not the program's.
func TestWatchCPUBeginsWithTheProgram(t *testing.T) {
	leaks(t)
	group, command := held(t, CgroupLimits{CountCPU: true, Group: removers()}, "while :; do :; done")
	limit := 200 * time.Millisecond
	for used := time.Duration(0); used < limit; used, _ = group.CPU() {
		time.Sleep(10 * time.Millisecond)
	}
	spent, _ := group.CPU()
	ended := make(chan time.Duration, 100)
	w, err := StartWatch(Limits{CPU: limit}, group, command.Process.Pid, time.Now(), func(Cause) {
		used, _ := group.CPU()
		ended <- used - spent
	})
	if err != nil {
		t.Fatal(err)
	}
	if used := <-ended; used < limit {
		t.Errorf("ended after %v of %v", used, limit)
	}
	_ = command.Process.Kill()
	_ = command.Wait()
	w.Stop()
}

// TestTreeSampleLeavesTheRootOut burns CPU time in the root, which is the stage's.
func TestTreeSampleLeavesTheRootOut(t *testing.T) {
	command := exec.Command("sh", "-c", "while :; do :; done")
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = command.Process.Kill(); _ = command.Wait() }()
	tree := tree{root: command.Process.Pid}
	if !until(func() bool { return stat(tree.root).own >= 5*clockTick }) {
		t.Fatal("the root burns nothing")
	}
	if s := tree.sample(func(int) bool { return false }); s.cpu != 0 {
		t.Errorf("%v of CPU time are the program's", s.cpu)
	}
}

// The kernel kills a child for memory; the whole tree ends, and the limit is the
// reason.
func TestWatchMemory(t *testing.T) {
	leaks(t)
	group := &CgroupLimits{Resources: resources(64<<20, 0), Group: removers()}
	cause, usage, _, took := watched(t, Limits{}, group, "/usr/bin/python3 -I -S -c 'b = bytearray(200 << 20)'; sleep 300")
	if cause.Kind != CauseMemory || took > patience {
		t.Errorf("%+v after %v", cause, took)
	}
	if usage.PeakMemoryBytes < 50<<20 || usage.PeakMemoryBytes > 64<<20 {
		t.Errorf("peak %d", usage.PeakMemoryBytes)
	}
	cause, _, _, _ = watched(t, Limits{}, group, "/usr/bin/python3 -I -S -c 'b = bytearray(200 << 20)'")
	if cause.Kind != CauseMemory {
		t.Errorf("a program that ended with its child: %+v", cause)
	}
	cause, _, _, _ = watched(t, Limits{}, group, "/usr/bin/python3 -I -S -c 'b = bytearray(20 << 20)'")
	if cause.Kind != CauseNone {
		t.Errorf("control: %+v", cause)
	}
}

func TestWatchPids(t *testing.T) {
	const script = "for i in 1 2 3 4 5; do sleep 300 & done 2>/dev/null; wait"
	for _, c := range []struct {
		name  string
		limit int
		group *CgroupLimits
		hit   bool
		peak  int
	}{
		{"counted, met", 3, &CgroupLimits{Resources: resources(0, 4), Group: removers()}, true, 3},
		{"counted, not met", 9, &CgroupLimits{Resources: resources(0, 10), Group: removers()}, false, 5},
		{"sampled, met", 5, nil, true, 5},
		{"sampled, not met", 9, nil, false, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			leaks(t)
			all := func(usage Usage, hit []string) bool { return usage.PeakPids >= c.peak && len(hit) > 0 == c.hit }
			inTime(t, func() (late string) { // a watch to which samples take long takes few
				cause, usage, hit, _ := watchedUntil(t, Limits{Pids: c.limit, OpenFiles: 1000}, c.group, script, all)
				if cause.Kind != CauseNone {
					t.Errorf("cause %+v", cause)
				}
				if met := strings.Join(hit, " ") == "pids"; met != c.hit || usage.PeakPids != c.peak {
					return fmt.Sprintf("hit %v, peak %d, want %d", hit, usage.PeakPids, c.peak)
				}
				return ""
			})
		})
	}
}

// What is not counted of the whole tree is not said to be. A child whose parent
// ignores SIGCHLD is in nobody's account.
func TestUsageTellsWhatIsOfTheWholeTree(t *testing.T) {
	const script = `exec /usr/bin/python3 -I -S -c '
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
if os.fork() == 0:
    while time.process_time() < 1: pass
    os._exit(0)
try: os.wait()
except ChildProcessError: pass
'`
	_, usage, _, _ := watched(t, Limits{}, &CgroupLimits{Resources: resources(512<<20, 10), CountCPU: true, Group: removers()}, script)
	for _, name := range []string{"cpu_seconds", "peak_memory_bytes"} {
		if !slices.Contains(usage.WholeTree, name) {
			t.Errorf("%s is not said to be of the whole tree: %+v", name, usage)
		}
	}
	if usage.CPUSeconds < 0.9 {
		t.Errorf("of the whole tree are %v s, and a child burned 1 s", usage.CPUSeconds)
	}
	_, usage, _, _ = watched(t, Limits{}, nil, script)
	if usage.CPUSeconds > 0.9 || len(usage.WholeTree) != 0 {
		t.Errorf("without a control group: %+v", usage)
	}
}

func TestWatchOpenFiles(t *testing.T) {
	for limit, want := range map[int]string{40: "open_files", 60: ""} {
		both := func(usage Usage, _ []string) bool { return usage.PeakPids == 2 } // who have all those files
		inTime(t, func() (late string) {
			_, usage, hit, _ := watchedUntil(t, Limits{OpenFiles: limit}, nil, `exec /usr/bin/python3 -I -S -c '
import os, time
fds = [os.dup(0) for _ in range(37)]
os.fork() and os.fork()
time.sleep(300)
'`, both)
			if got := strings.Join(hit, " "); got != want || !both(usage, hit) {
				return fmt.Sprintf("limit %d: hit %q, want %q, with %d processes", limit, got, want, usage.PeakPids)
			}
			return ""
		})
	}
}

// A watch that waits for nothing in particular must cost nothing.
func TestWatchIdleCost(t *testing.T) {
	command := exec.Command("sleep", "300")
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = command.Process.Kill(); _ = command.Wait() }()
	limits := Limits{Wall: time.Hour, CPU: time.Hour, Pids: 64, OpenFiles: 256}
	inTime(t, func() (late string) {
		before := processCPU(t)
		w, err := StartWatch(limits, nil, command.Process.Pid, time.Now(), func(c Cause) { t.Errorf("%+v", c) })
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		w.Stop()
		if used := processCPU(t) - before; used > 40*time.Millisecond {
			return fmt.Sprintf("%v of CPU in 2 s", used)
		}
		return ""
	})
}

func processCPU(t *testing.T) time.Duration {
	t.Helper()
	var use unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &use); err != nil {
		t.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

func TestTreeSample(t *testing.T) {
	command := exec.Command("/usr/bin/python3", "-I", "-S", "-c", `
import os, threading, time
e = threading.Event()
def forker():
    if os.fork() == 0:
        time.sleep(300)
    e.set()
threading.Thread(target=forker).start()
threading.Thread(target=time.sleep, args=(300,), daemon=True).start()
e.wait()
print("ready", flush=True)
time.sleep(300)
`)
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Kill(-command.Process.Pid, unix.SIGKILL); _ = command.Wait() }()
	if _, err := out.Read(make([]byte, 16)); err != nil {
		t.Fatal(err)
	}
	tree := tree{root: command.Process.Pid}
	if pids := slices.Collect(tree.pids); len(pids) != 2 {
		t.Errorf("%v: want the root and the child of its other thread", pids)
	}
	if s := tree.sample(func(int) bool { return false }); s.tasks != 1 || s.openFiles < 3 {
		t.Errorf("%+v", s)
	}
	if s := tree.sample(func(looked int) bool { return looked == 1 }); s.tasks != 0 {
		t.Errorf("%+v of the root alone", s)
	}
}

// What Linux before 6.2 is asked for agrees with what later ones say by themselves.
func TestEntriesOfADirectoryOfDescriptors(t *testing.T) {
	var held []*os.File
	for range 20 {
		held = append(held, open(t, "/dev/null", os.O_RDONLY))
	}
	if got := entries("/proc/self/fd"); got < len(held) {
		t.Errorf("%d entries where %d files are open", got, len(held))
	}
	if got := entries("/proc/self/nothing"); got != 0 {
		t.Errorf("%d entries of what is not there", got)
	}
}
