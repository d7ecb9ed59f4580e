package death

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// processesWith lists the processes whose command line holds the marker, or
// whose executable's path does. The stage has not called execve, so it runs the
// supervisor's binary, and it hides its command line.
func processesWith(t *testing.T, marker string) []process {
	t.Helper()
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	var found []process
	for _, dir := range dirs {
		line, _ := os.ReadFile(dir + "/cmdline") // both fail for a process that has just ended
		exe, _ := os.Readlink(dir + "/exe")
		if bytes.Contains(line, []byte(marker)) || strings.Contains(exe, marker) {
			pid, err := strconv.Atoi(filepath.Base(dir))
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, process{pid, exe + " " + string(bytes.ReplaceAll(line, []byte{0}, []byte{' '}))})
		}
	}
	return found
}

// process is one that was found, and what it runs.
type process struct {
	pid  int
	runs string
}

func (p process) String() string { return fmt.Sprint(p.pid, " ", p.runs) }

func list(all []process) string {
	var text strings.Builder
	for _, p := range all {
		fmt.Fprintln(&text, p)
	}
	return text.String()
}

// awaitNone waits until no process has the marker.
func awaitNone(t *testing.T, marker, when string) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(5 * time.Second)
	for {
		left := processesWith(t, marker)
		if len(left) == 0 {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("killed %s: left behind:\n%s", when, list(left))
		}
	}
}

func mounts(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// guest starts a second process and then sleeps.
const guest = "import os,time\nos.fork()\nprint('ready', flush=True)\ntime.sleep(60)\n"

func TestKilledSupervisorLeavesNothing(t *testing.T) {
	testenv.Need(t, testenv.UserNS, testenv.Landlock, testenv.Notify)
	binary := testenv.Binary(t)
	before := mounts(t)
	for _, uid := range testenv.Users() {
		t.Run(fmt.Sprintf("uid %d", uid), func(t *testing.T) {
			for i := range 50 {
				killAfter(t, binary, uid, time.Duration(i)*500*time.Microsecond)
			}
			killWhenReady(t, binary, uid)
		})
	}
	if after := mounts(t); after != before {
		t.Errorf("mounts changed from\n%s\nto\n%s", before, after)
	}
}

func command(t *testing.T, binary string, uid uint32, marker string) *exec.Cmd {
	named := filepath.Join(testenv.WorldDir(t), marker)
	if err := os.Link(binary, named); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(named, "exec", "--quiet", "-c", guest+"# "+marker)
	cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + testenv.WorldDir(t)}
	cmd.Dir = "/"
	return testenv.RunAs(t, uid, cmd)
}

// killAfter kills the supervisor with SIGKILL some time after its start: before
// the clone, between two operations of the setup, or later.
func killAfter(t *testing.T, binary string, uid uint32, delay time.Duration) {
	t.Helper()
	marker := fmt.Sprintf("death-%d-%d-%d", os.Getpid(), uid, delay)
	cmd := command(t, binary, uid, marker)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-time.After(delay)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	awaitNone(t, marker, "after "+delay.String())
}

// killWhenReady kills it while the guest's two processes run. That they do is
// the control: the search for the marker finds them.
func killWhenReady(t *testing.T, binary string, uid uint32) {
	t.Helper()
	marker := fmt.Sprintf("death-%d-%d-ready", os.Getpid(), uid)
	cmd := command(t, binary, uid, marker)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for buf := make([]byte, 64); seen < 2; {
		n, err := out.Read(buf)
		if err != nil {
			t.Fatalf("the guest did not start: %v", err)
		}
		seen += strings.Count(string(buf[:n]), "ready")
	}
	// The supervisor and the guest's two processes; only root sees what PID 1, which
	// is not dumpable, runs.
	got, want := processesWith(t, marker), 3
	if os.Getuid() == 0 {
		want++
	}
	if len(got) != want {
		t.Errorf("control: %d processes while the guest runs, want %d:\n%s", len(got), want, list(got))
	}
	first := firstChild(t, cmd.Process.Pid)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	awaitNone(t, marker, "while the guest runs")
	awaitEnd(t, first)
}

// firstChild opens PID 1 of the sandbox, the one child of the supervisor.
func firstChild(t *testing.T, supervisor int) (pidfd int) {
	t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", supervisor))
	if err != nil {
		t.Fatal(err)
	}
	var children []string
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if err != nil {
			t.Fatal(err)
		}
		children = append(children, strings.Fields(string(text))...)
	}
	if len(children) != 1 {
		t.Fatalf("control: the supervisor has the children %v, want one", children)
	}
	pid, err := strconv.Atoi(children[0])
	if err != nil {
		t.Fatal(err)
	}
	if pidfd, err = unix.PidfdOpen(pid, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(pidfd) })
	return pidfd
}

// awaitEnd waits until the process has ended: its pidfd is readable then
// (pidfd_open(2)).
func awaitEnd(t *testing.T, pidfd int) {
	t.Helper()
	const patience = 5000 // milliseconds
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, patience)
	if err != nil || n != 1 {
		t.Errorf("PID 1 of the sandbox lives on (%v)", err)
	}
}
