package testenv

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// Nobody is an ordinary user that every distribution has.
const Nobody = 65534

// OrdinaryUser is the uid as which a program is run that must not be root's: the
// caller's own, or Nobody's if that is root.
func OrdinaryUser() uint32 {
	if uid := os.Getuid(); uid != 0 {
		return uint32(uid)
	}
	return Nobody
}

// Users are the uids as which a program is run that root and ordinary users use
// alike: only root can be both.
func Users() []uint32 {
	if os.Getuid() != 0 {
		return []uint32{OrdinaryUser()}
	}
	return []uint32{0, Nobody}
}

// RunAs arranges for cmd to run as uid, with the gid of the same number and no
// supplementary groups, and returns it. It needs Root unless uid is the caller's
// own. What the command reads must be readable by that user: see WorldDir.
func RunAs(tb testing.TB, uid uint32, cmd *exec.Cmd) *exec.Cmd {
	tb.Helper()
	if int(uid) == os.Getuid() {
		return cmd
	}
	Need(tb, Root)
	takeOn(uid, cmd)
	return cmd
}

// takeOn makes cmd run as uid, which only root can.
func takeOn(uid uint32, cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uid, Gid: uid}
}

// WorldDir makes a directory that every user can enter and read, and removes it
// when the test ends. testing.TB.TempDir is open to its owner only.
func WorldDir(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("", "pysandbox-test-")
	if err != nil {
		tb.Fatalf("testenv: make a directory: %v", err)
	}
	tb.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			tb.Errorf("testenv: remove %s: %v", dir, err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		tb.Fatalf("testenv: open %s to every user: %v", dir, err)
	}
	return dir
}
