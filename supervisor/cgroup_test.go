package supervisor

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/opencontainers/cgroups"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// testGroup is a gid that nobody has, in the place of the lease group.
const testGroup = 1879048192

// finish waits for the program. Meanwhile it reads the counters, as a Watch does:
// systemd removes a scope with its last process.
func finish(c *Cgroup, command *exec.Cmd) {
	done := make(chan struct{})
	go func() {
		_ = command.Wait()
		close(done)
	}()
	for {
		c.note()
		select {
		case <-done:
			return
		case <-time.After(time.Millisecond):
		}
	}
}

// removers is the group that may remove what this test makes.
func removers() int {
	if os.Getuid() != 0 {
		return -1
	}
	return testGroup
}

func resources(memory int64, pids int64) *specs.LinuxResources {
	r := &specs.LinuxResources{}
	if memory > 0 {
		r.Memory = &specs.LinuxMemory{Limit: &memory, Swap: &memory}
	}
	if pids > 0 {
		r.Pids = &specs.LinuxPids{Limit: &pids}
	}
	return r
}

// held starts a shell script in a group of its own; the script begins when it is
// in the group.
func held(t *testing.T, limits CgroupLimits, script string) (*Cgroup, *exec.Cmd) {
	t.Helper()
	needGroups(t)
	gateR, gateW := pipe(t)
	command := exec.Command("sh", "-c", `read -r join; eval "$join"; `+script)
	command.Stdin = gateR
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	c, err := NewCgroup(FindCgroup(), limits, command.Process.Pid)
	if err != nil {
		_ = command.Process.Kill()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		kill(c)
		_ = command.Wait()
		var err error
		if !until(func() bool { err = c.Remove(); return err == nil }) { // the last one may be on its way out
			t.Error(err)
		}
		for _, dir := range c.dirs {
			if !goes(dir) {
				t.Errorf("%s is left", dir)
			}
		}
	})
	if c == nil {
		t.Fatalf("no group: %+v", FindCgroup())
	}
	var join strings.Builder
	for _, file := range c.Join {
		join.WriteString("echo 0 >" + file.Name() + "; ")
	}
	_, _ = gateW.WriteString(join.String() + "\n")
	if !until(func() bool { return len(members(c)) > 0 || hasEnded(command) }) {
		t.Fatal("the script has not entered its group")
	}
	return c, command
}

// hasEnded is true of a command that is there to be waited for.
func hasEnded(command *exec.Cmd) bool {
	var info unix.Siginfo
	err := unix.Waitid(unix.P_PID, command.Process.Pid, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	return err != nil || info.Signo != 0
}

// members lists the processes of a group.
func members(c *Cgroup) []int {
	if c == nil {
		return nil
	}
	for _, dir := range c.dirs {
		pids, _ := cgroups.GetPids(dir) // none when it has been removed
		return pids
	}
	return nil
}

// kill ends the processes of a group, which may be forking meanwhile.
func kill(c *Cgroup) {
	until(func() bool {
		pids := members(c)
		for _, pid := range pids {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
		return len(pids) == 0
	})
}

// goes waits until dir is gone, which takes systemd a moment.
func goes(dir string) bool {
	return until(func() bool {
		_, err := os.Stat(dir)
		return err != nil
	})
}

// needGroups skips where this user may make no control group with every limit.
func needGroups(t *testing.T) {
	t.Helper()
	testenv.Need(t, testenv.CgroupMemory, testenv.CgroupPids)
}

func TestFindCgroup(t *testing.T) {
	needGroups(t)
	p := FindCgroup()
	t.Logf("%+v", p)
	if !p.Memory || !p.Pids || !p.CPU || !p.Quota {
		t.Errorf("no place for every limit: %+v", p)
	}
}

func TestCgroupAsUserWithoutDelegation(t *testing.T) {
	if os.Getuid() == 0 {
		asUser(t, "TestCgroupAsUserWithoutDelegation", openDir(t))
		return
	}
	if testenv.Missing(testenv.CgroupMemory) == nil {
		t.Log("groups are delegated to the user that runs the tests")
		return
	}
	p := FindCgroup()
	if p.Kind != CgroupNone || p.Memory || p.Reason == "" {
		t.Errorf("got %+v", p)
	}
	c, err := NewCgroup(p, CgroupLimits{Resources: resources(1<<20, 2)}, os.Getpid())
	if c != nil || err != nil {
		t.Errorf("got %v, %v: a limit that is not available was decided on before", c, err)
	}
}

func TestCgroupMemoryLimitKills(t *testing.T) {
	for _, grab := range []int{10, 200} {
		c, command := held(t, CgroupLimits{Resources: resources(64<<20, 0), Group: removers()},
			"exec /usr/bin/python3 -I -S -c 'b = bytearray("+strconv.Itoa(grab)+" << 20)'")
		finish(c, command)
		status := command.ProcessState.Sys().(syscall.WaitStatus)
		kills := c.OOMKills()
		if over := grab > 64; over != (kills > 0) || over != (status.Signaled() && status.Signal() == syscall.SIGKILL) {
			t.Errorf("%d MiB: %d kills, status %#x", grab, kills, status)
		}
		peak, ok := c.PeakMemory()
		if !ok || peak < int64(min(grab, 60))<<20 || peak > 64<<20 {
			t.Errorf("%d MiB: peak %d, %v", grab, peak, ok)
		}
	}
}

// The kernel's word arrives without polling, while the program goes on.
func TestCgroupMemoryEvent(t *testing.T) {
	c, _ := held(t, CgroupLimits{Resources: resources(64<<20, 0), Group: removers()},
		"/usr/bin/python3 -I -S -c 'b = bytearray(200 << 20)'; sleep 300")
	if err := c.events.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.events.Read(make([]byte, 64)); err != nil {
		t.Fatal(err)
	}
	if !until(func() bool { return c.OOMKills() > 0 }) { // the event precedes the kill
		t.Error("no kill")
	}
}

func TestCgroupPidsLimit(t *testing.T) {
	for limit, denied := range map[int64]bool{10: true, 40: false} {
		c, command := held(t, CgroupLimits{Resources: resources(0, limit), Group: removers()},
			"for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do sleep 300 & done 2>/dev/null") // all at once; held ends them
		finish(c, command)
		peak, got, ok := c.Pids()
		if !ok || got != denied || (denied && peak != int(limit)) || (!denied && peak != 16) {
			t.Errorf("limit %d: peak %d, denied %v, %v", limit, peak, got, ok)
		}
	}
}

// A child whose parent ignores SIGCHLD is in nobody's rusage; the group counts
// it.
func TestCgroupCountsCPU(t *testing.T) {
	c, command := held(t, CgroupLimits{CountCPU: true, Group: removers()}, `exec /usr/bin/python3 -I -S -c '
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
if os.fork() == 0:
    while time.process_time() < 1: pass
    os._exit(0)
try: os.wait()
except ChildProcessError: pass
'`)
	finish(c, command)
	known := command.ProcessState.UserTime() + command.ProcessState.SystemTime()
	if used, ok := c.CPU(); !ok || used-known < 500*time.Millisecond {
		t.Errorf("%v, %v, of which rusage knows %v", used, ok, known)
	}
}

func TestCgroupQuota(t *testing.T) {
	quota, period := int64(20_000), uint64(100_000)
	r := &specs.LinuxResources{CPU: &specs.LinuxCPU{Quota: &quota, Period: &period}}
	begin := time.Now()
	_, command := held(t, CgroupLimits{Resources: r, Group: removers()},
		"exec /usr/bin/python3 -I -S -c 'import time\nt = time.monotonic() + 1\nwhile time.monotonic() < t: pass'")
	_ = command.Wait()
	if used := command.ProcessState.UserTime() + command.ProcessState.SystemTime(); used > time.Since(begin)*2/5 {
		t.Errorf("used %v of %v, want a fifth", used, time.Since(begin))
	}
}

// The supervisor makes the group as root and removes it as the leased uid, which
// can do nothing else there.
func TestCgroupRemovedByTheLeaseGroup(t *testing.T) {
	testenv.Need(t, testenv.Root)
	c, command := held(t, CgroupLimits{Resources: resources(64<<20, 10), Group: removers()}, "true")
	_ = command.Wait()
	if c.Kind == CgroupSystemd {
		return // systemd removes it; held waits for that
	}
	for _, dir := range c.dirs {
		tryRmdir := func(group uint32) error {
			remove := exec.Command("rmdir", dir)
			remove.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: testGroup + 7, Gid: testGroup + 7, Groups: []uint32{group}}}
			return remove.Run()
		}
		if tryRmdir(testGroup+8) == nil {
			t.Errorf("a stranger removed %s", dir)
		}
		var err error
		if !until(func() bool { err = tryRmdir(testGroup); return err == nil }) {
			t.Errorf("remove %s: %v", dir, err)
		}
	}
}

func TestCgroupSweep(t *testing.T) {
	c, _ := held(t, CgroupLimits{Resources: resources(0, 10), Group: removers()}, "sleep 300")
	if c.Kind == CgroupSystemd {
		return // systemd sweeps
	}
	stale, fresh := c.parents[0]+"/stale-"+randomName(), c.parents[0]+"/fresh-"+randomName()
	for _, dir := range []string{stale, fresh} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = os.Remove(dir) }()
	}
	old := time.Now().Add(-2 * staleAge)
	for _, dir := range append(slices.Collect(maps.Values(c.dirs)), stale) {
		if err := os.Chtimes(dir, old, old); err != nil {
			t.Fatal(err)
		}
	}
	c.Sweep()
	if _, err := os.Stat(stale); err == nil {
		t.Error("the leftover is still there")
	}
	if _, err := os.Stat(fresh); err != nil {
		t.Error("a group in the making was removed")
	}
	if len(members(c)) == 0 {
		t.Error("the live group has lost its processes")
	}
}

// An ordinary user to whom directories were delegated limits as root does.
func TestCgroupAsDelegatedUser(t *testing.T) {
	if os.Getuid() != 0 {
		TestCgroupMemoryLimitKills(t)
		TestCgroupPidsLimit(t)
		TestCgroupCountsCPU(t)
		return
	}
	place := FindCgroup()
	if place.Kind != CgroupV1 {
		t.Logf("%s: not delegated by this test", place.Kind)
		return
	}
	var enter []string
	for _, controller := range []string{"memory", "pids", "cpuacct", "cpu"} {
		dir := filepath.Join(place.dirs[controller], "psb-delegated-"+randomName())
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			removed := func() bool {
				_ = os.Remove(filepath.Join(dir, groupName))
				return os.Remove(dir) == nil
			}
			if !until(removed) {
				t.Errorf("%s is left", dir)
			}
		})
		if err := os.Chown(dir, 65534, 65534); err != nil {
			t.Fatal(err)
		}
		enter = append(enter, "echo $$ >"+dir+"/cgroup.procs")
	}
	dir := openDir(t)
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "test-binary")
	if err := os.WriteFile(binary, self, 0o755); err != nil {
		t.Fatal(err)
	}
	script := strings.Join(enter, " && ") + " && exec setpriv --reuid=65534 --regid=65534 --clear-groups " +
		binary + " -test.run=^TestCgroupAsDelegatedUser$ -test.v"
	command := exec.Command("sh", "-c", script)
	command.Dir, command.Env = dir, append(os.Environ(), "TMPDIR="+dir)
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// BenchmarkCgroup measures what a group adds to a run, without the moves, which
// the child makes while the supervisor goes on.
func BenchmarkCgroup(b *testing.B) {
	for name, count := range map[string]bool{"memory+pids": false, "memory+pids+cpuacct": true} {
		b.Run(name, func(b *testing.B) {
			steps := map[string][]float64{}
			timed := func(step string, do func()) {
				begin := time.Now()
				do()
				steps[step] = append(steps[step], float64(time.Since(begin).Microseconds()))
			}
			for b.Loop() {
				var place CgroupPlace
				var c *Cgroup
				var err error
				timed("find", func() { place = FindCgroup() })
				timed("make", func() {
					c, err = NewCgroup(place, CgroupLimits{Resources: resources(64<<20, 10), CountCPU: count, Group: removers()}, -1)
				})
				if err != nil {
					b.Fatal(err)
				}
				timed("read", func() { c.OOMKills(); c.PeakMemory(); c.Pids(); c.CPU() })
				timed("remove", func() { err = c.Remove() })
				if err != nil {
					b.Fatal(err)
				}
			}
			for step, all := range steps {
				slices.Sort(all)
				b.ReportMetric(all[len(all)/2], step+"-µs")
			}
		})
	}
}
