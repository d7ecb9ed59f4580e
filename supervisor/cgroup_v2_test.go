package supervisor

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/opencontainers/cgroups"
	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// startGroup runs two processes in group until the test ends.
func startGroup(t *testing.T, group string) {
	t.Helper()
	gateR, gateW := pipe(t)
	command := exec.Command("sh", "-c", "read -r _; sleep 300 & wait")
	command.Stdin = gateR
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: unix.SIGKILL}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = unix.Kill(-command.Process.Pid, unix.SIGKILL)
		_ = command.Wait()
	})
	if err := cgroups.WriteCgroupProc(group, command.Process.Pid); err != nil {
		t.Fatal(err)
	}
	_, _ = gateW.WriteString("go\n")
	started := func() bool {
		pids, _ := cgroups.GetPids(group)
		return len(pids) == 2
	}
	if !until(started) {
		t.Fatal("the second process did not start")
	}
}

// startStranger runs a process that is nobody's child until the test ends.
func startStranger(t *testing.T) int {
	t.Helper()
	out, err := exec.Command("setsid", "--fork", "sh", "-c", "echo $$; exec sleep 300 >&- 2>&-").Output()
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Kill(pid, unix.SIGKILL) })
	return pid
}

// A delegated group of v2 has this process in it and the stage that it has started,
// with its children. A stranger there is left alone, unless systemd has delegated the
// group to the unit, whose own it is then.
func TestStepAside(t *testing.T) {
	testenv.Need(t, testenv.Root)
	root := cgroupRoot
	var fs unix.Statfs_t
	if unix.Statfs(root+"/unified", &fs) == nil && fs.Type == unix.CGROUP2_SUPER_MAGIC {
		root += "/unified" // beside v1
	}
	dir := filepath.Join(root, "psb-aside-"+randomName())
	aside := filepath.Join(dir, supervisorGroup)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, group := range []string{aside, dir} { // the kernel needs a moment for the last processes
			until(func() bool {
				err := unix.Rmdir(group)
				return err == nil || errors.Is(err, unix.ENOENT)
			})
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s is left", dir)
		}
	})
	startGroup(t, dir)
	if err := stepAside(dir); err != nil {
		t.Fatal(err)
	}
	left, err := cgroups.GetPids(dir)
	moved, movedErr := cgroups.GetPids(aside)
	if err != nil || movedErr != nil || len(left) != 0 || len(moved) != 2 {
		t.Errorf("%v stay (%v), %v have moved (%v)", left, err, moved, movedErr)
	}
	stranger := startStranger(t)
	if err := cgroups.WriteCgroupProc(dir, stranger); err != nil {
		t.Fatal(err)
	}
	if err := stepAside(dir); err == nil || !strings.Contains(err.Error(), "other processes") {
		t.Errorf("with a stranger: %v", err)
	}
	if left, err := cgroups.GetPids(dir); err != nil || !slices.Equal(left, []int{stranger}) {
		t.Errorf("the stranger was moved: %v, %v", left, err)
	}
	if err := unix.Setxattr(dir, "user.delegate", []byte("1"), 0); err != nil {
		t.Fatal(err)
	}
	if err := stepAside(dir); err != nil {
		t.Fatalf("with a stranger of the same unit: %v", err)
	}
	if left, err := cgroups.GetPids(dir); err != nil || len(left) != 0 {
		t.Errorf("%v stay in a delegated group (%v)", left, err)
	}
}
