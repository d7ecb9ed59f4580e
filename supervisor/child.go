package supervisor

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"syscall"
	"time"

	shim "github.com/pysandbox/pysandbox/cpython-shim"
	"golang.org/x/sys/unix"
)

// child is PID 1 of a sandbox before and after its setup, and how to reach it.
type child struct {
	pid     int // on the host
	pidfd   int
	control *control
	lease   *os.File // holds the uid lease; nil for an ordinary user
	uid     int      // host uid and gid of the sandbox
	gid     int
	spawned bool        // by spawnStage: this process goes on after the run
	recall  shim.Recall // what the stage was given before Go started
	reaped  bool
	used    Rusage // of the whole tree, once reaped
}

// beginChild returns the child that the constructor cloned, or starts one: a
// process that was not run as `pysandbox exec` has none yet.
func beginChild() (*child, error) {
	begun, err := shim.TakeBegun()
	if err != nil {
		return nil, fmt.Errorf("begin the sandbox: %w", beginError(err))
	}
	if begun == nil {
		return spawn()
	}
	c := &child{pid: begun.PID, pidfd: begun.PidFD, uid: begun.UID, gid: begun.GID, recall: begun.Recall}
	if begun.Lease >= 0 {
		c.lease = os.NewFile(uintptr(begun.Lease), "uid lease")
	}
	c.control, err = newControl(begun.Control)
	return c, err
}

// spawn starts a child of a process that goes on after the run.
func spawn() (*child, error) {
	c := &child{uid: os.Getuid(), gid: os.Getgid(), spawned: true}
	if os.Geteuid() == 0 {
		var err error
		if c.lease, c.uid, err = shim.TakeLease(); err != nil {
			return nil, err
		}
		c.gid = c.uid
	}
	return c, c.spawnStage()
}

// again puts a new process in the place of one that runs another plan than it
// should. What is donated has to be sent once more.
func (c *child) again() error {
	c.kill()
	c.reap()
	c.reaped, c.used = false, Rusage{}
	_ = c.control.close()
	_ = unix.Close(c.pidfd)
	return c.spawnStage()
}

// spawnStage starts a stage process, which clones PID 1 as our child and ends.
// syscall.ForkExec without new namespaces takes Go's vfork path.
func (c *child) spawnStage() error {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("make the control socket: %w", err)
	}
	defer unix.Close(pair[1])
	if c.control, err = newControl(pair[0]); err != nil {
		return err
	}
	argv := []string{shim.StageName, strconv.Itoa(c.uid), strconv.Itoa(c.gid)}
	stage, err := syscall.ForkExec("/proc/self/exe", argv, &syscall.ProcAttr{
		Files: []uintptr{^uintptr(0), ^uintptr(0), ^uintptr(0), uintptr(pair[1])},
	})
	if err != nil {
		return fmt.Errorf("start the stage: %w", err)
	}
	defer reap(stage)
	return c.awaitReady()
}

// awaitReady learns PID 1's pid from the stage process.
func (c *child) awaitReady() error {
	m, err := c.control.receive()
	if errors.Is(err, io.EOF) {
		return errors.New("start the stage: it ended without a word")
	}
	if err != nil {
		return err
	}
	if m.kind != msgReady {
		return stageError(m, nil)
	}
	c.pid = int(m.a)
	c.pidfd, err = unix.PidfdOpen(c.pid, 0)
	if err != nil {
		return fmt.Errorf("open pid %d of the sandbox: %w", c.pid, err)
	}
	return nil
}

// kill ends the whole tree: the kernel kills a PID namespace with its PID 1
// (pid_namespaces(7)). Where root may not signal a leased uid (CAP_KILL), nothing is
// said to the stage any more, and it ends by itself.
func (c *child) kill() {
	if err := unix.PidfdSendSignal(c.pidfd, unix.SIGKILL, nil, 0); errors.Is(err, unix.EPERM) {
		_ = unix.Shutdown(c.control.fd, unix.SHUT_RDWR)
	}
}

// reap waits for the end of PID 1, which comes after the end of every process
// of its namespace, and notes what they all used: PID 1 inherits and waits for
// each (pid_namespaces(7)). A second call does nothing.
func (c *child) reap() {
	if !c.reaped {
		c.used, c.reaped = reap(c.pid), true
	}
}

func reap(pid int) Rusage {
	var use unix.Rusage
	for {
		_, err := unix.Wait4(pid, nil, unix.WALL, &use)
		if !errors.Is(err, unix.EINTR) {
			return Rusage{
				CPU:    time.Duration(use.Utime.Nano() + use.Stime.Nano()),
				MaxRSS: use.Maxrss << 10,
			}
		}
	}
}

// close releases what is left after the end of the tree.
func (c *child) close() {
	_ = c.control.close()
	_ = unix.Close(c.pidfd)
	if c.lease != nil {
		_ = c.lease.Close()
	}
}
