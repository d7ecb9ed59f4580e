package supervisor

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Sizes in bytes: of the buffer for what is not spliced, of what is worth a
// splice(2), and of the program's pipe, where four times the usual 64 KiB gain
// half of the throughput because both sides sleep less often.
const (
	copySize   = 64 << 10
	spliceSize = 16 << 10
	pipeSize   = 256 << 10
)

// output pumps what the program writes to a pipe or a pty into the caller's
// descriptor.
type output struct {
	fd     int      // our end: of a pipe, or the master of a pty; non-blocking
	file   *os.File // holds fd, for the runtime's poller
	pty    bool
	cooked func() bool // for a pty: the target adds carriage returns itself
	target *target
	budget *budget
	buf    []byte

	failure error // of the target; to be read when run has returned
}

// newOutput takes over fd.
func newOutput(fd int, pty bool, target *target, budget *budget) *output {
	return &output{fd: fd, file: os.NewFile(uintptr(fd), "output"), pty: pty, target: target, budget: budget}
}

// run pumps until the last writer has gone, the output is over its limit, the
// target takes no more, or the stop event is set. If the target takes no more, it
// closes our end of a pipe: the program gets the SIGPIPE or EPIPE that it would
// get without us. (A terminal that goes away says so by SIGHUP.)
func (o *output) run() {
	raw, err := o.file.SyscallConn()
	if err != nil {
		return
	}
	pump := o.pumpPipe
	if o.pty {
		pump = o.pumpPTY
	}
	err = pump(raw)
	if _, ok := errors.AsType[unix.Errno](err); ok {
		o.failure = err
		if !o.pty {
			_ = o.file.Close()
		}
	}
}

// finish makes run move what is there and end.
func (o *output) finish() { _ = o.file.SetReadDeadline(time.Unix(1, 0)) }

func (o *output) close() {
	_ = o.file.Close()
	o.target.close()
}

// pumpPipe returns the error of the target, errStop, or nil at the end.
func (o *output) pumpPipe(raw syscall.RawConn) error {
	for {
		var waiting int
		err := raw.Read(func(uintptr) bool {
			waiting = available(o.fd)
			return waiting > 0 || hungUp(o.fd)
		})
		last := errors.Is(err, os.ErrDeadlineExceeded)
		if last {
			// The program has ended: what it wrote is in the pipe, and what
			// others write from here on is not its output.
			waiting = available(o.fd)
		}
		if waiting == 0 {
			return nil
		}
		if more, err := o.move(int64(waiting)); err != nil || !more || last {
			return err
		}
	}
}

// move passes on n bytes that are in the pipe. It returns false when the
// output is over its limit.
func (o *output) move(n int64) (more bool, err error) {
	allowed := o.budget.take(n)
	for left := allowed; left > 0; {
		moved, err := o.moveSome(left)
		if err != nil {
			return false, err
		}
		if moved == 0 { // the program read its own pipe
			break
		}
		left -= moved
	}
	return allowed == n, nil
}

// moveSome passes on some of n bytes. A little is copied: spliced, every small
// write would fill one of the 16 slots of the caller's pipe, which then would
// hold 16 lines instead of 64 KiB.
func (o *output) moveSome(n int64) (int64, error) {
	if n >= spliceSize && o.target.splices {
		moved, err := o.target.splice(o.fd, n)
		if !errors.Is(err, errNoSplice) {
			return moved, err
		}
		o.target.splices = false
	}
	if o.buf == nil {
		o.buf = make([]byte, copySize)
	}
	got, err := read(o.fd, o.buf[:min(n, int64(len(o.buf)))])
	if errors.Is(err, unix.EAGAIN) || got == 0 {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return int64(got), o.target.write(o.buf[:got])
}

// pumpPTY returns the error of the target, errStop, or nil at the end.
func (o *output) pumpPTY(raw syscall.RawConn) error {
	o.buf = make([]byte, copySize)
	finishing := false
	for {
		var got int
		var failure error
		attempt := func(uintptr) bool {
			got, failure = read(o.fd, o.buf)
			return !errors.Is(failure, unix.EAGAIN)
		}
		if !finishing {
			finishing = errors.Is(raw.Read(attempt), os.ErrDeadlineExceeded)
		}
		// A pty hands data over by a kernel worker, so only EIO, which comes
		// when the tree has died, says that there is no more.
		for finishing && !attempt(0) {
			if _, err := await(o.fd, unix.POLLIN, o.target.stop, -1); err != nil {
				return err
			}
		}
		if failure != nil || got == 0 {
			return nil
		}
		allowed := int(o.budget.take(int64(got)))
		if err := o.target.write(o.withoutReturns(o.buf[:allowed])); err != nil || allowed < got {
			return err
		}
	}
}

// withoutReturns takes out the carriage returns that the pty has put before
// newlines, if the caller's terminal will do the same.
func (o *output) withoutReturns(data []byte) []byte {
	if o.cooked == nil || !o.cooked() {
		return data
	}
	return bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
}

// available is how many bytes are in a pipe.
func available(fd int) int {
	n, err := unix.IoctlGetInt(fd, unix.TIOCINQ) // the other name of FIONREAD
	if err != nil {
		return 0
	}
	return n
}

// hungUp is true if a pipe has no writer.
func hungUp(fd int) bool {
	fds := []unix.PollFd{{Fd: int32(fd)}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n == 1 && fds[0].Revents&(unix.POLLHUP|unix.POLLERR) != 0
}

func read(fd int, p []byte) (int, error) {
	for {
		n, err := unix.Read(fd, p)
		if !errors.Is(err, unix.EINTR) {
			return max(n, 0), err
		}
	}
}

// newPipe makes a pipe whose our side does not block. If uid is not negative
// the pipe is given to uid and gid, so that the program can open /dev/stdout
// (proc(5): /proc/self/fd obeys the mode of the pipe, which is 0600).
func newPipe(uid, gid int, oursReads bool) (ours int, theirs *os.File, err error) {
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
		return -1, nil, fmt.Errorf("make a pipe: %w", err)
	}
	ours, other := ends[1], ends[0]
	if oursReads {
		ours, other = ends[0], ends[1]
		_, _ = unix.FcntlInt(uintptr(ours), unix.F_SETPIPE_SZ, pipeSize) // EPERM: over the user's quota
	}
	if err = unix.SetNonblock(ours, true); err == nil && uid >= 0 {
		err = unix.Fchown(other, uid, gid)
	}
	if err != nil {
		_ = unix.Close(ours)
		_ = unix.Close(other)
		return -1, nil, fmt.Errorf("hand a pipe to uid %d: %w", uid, err)
	}
	return ours, os.NewFile(uintptr(other), "pipe"), nil
}
