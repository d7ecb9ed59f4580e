package seccomp

import (
	"fmt"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// ErrGone says that a notification is no longer there: its thread died or took a
// signal before it was answered. There is nothing left to do for it.
var ErrGone = fmt.Errorf("the notification is gone: %w", unix.ENOENT)

// Words of the structures of linux/seccomp.h, which this code sees as arrays of
// 64-bit words. The kernel's own may be longer.
const (
	notificationWords = 10 // struct seccomp_notif
	responseWords     = 3  // struct seccomp_notif_resp
	addFDWords        = 3  // struct seccomp_notif_addfd
)

// Listener receives and answers the notifications of one filter. Receive is for
// one thread at a time; the other methods may be called from any. System calls
// are made on the calling thread, and nothing is allocated per call.
type Listener struct {
	fd           int
	notification []uint64
	mu           sync.Mutex // guards what follows
	response     []uint64
	addFD        [addFDWords]uint64
}

// NewListener takes over the listener's descriptor. It asks the kernel how long
// its structures are.
func NewListener(fd int) (*Listener, error) {
	sizes, errno := notificationSizes()
	if errno != 0 {
		return nil, fmt.Errorf("ask for the size of seccomp notifications: %w", errno)
	}
	return &Listener{
		fd:           fd,
		notification: make([]uint64, max(notificationWords, words(sizes.notification))),
		response:     make([]uint64, max(responseWords, words(sizes.response))),
	}, nil
}

// words is how many 64-bit words hold a number of bytes.
func words(size uint16) int { return (int(size) + 7) / 8 }

// Fd returns the descriptor, to wait on with poll(2): POLLIN for a notification,
// POLLHUP when no process is left under the filter.
func (l *Listener) Fd() int { return l.fd }

// Close closes the descriptor. Calls that wait for an answer then fail with
// ENOSYS, and so does every later call that the filter traps.
func (l *Listener) Close() error {
	if err := unix.Close(l.fd); err != nil {
		return fmt.Errorf("close the seccomp listener: %w", err)
	}
	return nil
}

// Receive waits for a notification and stores it in n. The error is ErrGone when
// the call that had been announced is no longer there, or no process is left.
func (l *Listener) Receive(n *Notification) error {
	for {
		clear(l.notification) // the kernel refuses a buffer that is not zero
		errno := waitingIoctl(l.fd, unix.SECCOMP_IOCTL_NOTIF_RECV, &l.notification[0])
		switch errno {
		case 0:
			n.read(l.notification)
			return nil
		case unix.EINTR:
		case unix.ENOENT:
			return ErrGone
		default:
			return fmt.Errorf("receive a seccomp notification: %w", errno)
		}
	}
}

// read decodes struct seccomp_notif.
func (n *Notification) read(words []uint64) {
	n.ID = words[0]
	n.PID, n.Flags = uint32(words[1]), uint32(words[1]>>32)
	n.Syscall, n.Arch = int32(words[2]), uint32(words[2]>>32)
	n.InstructionPointer = words[3]
	copy(n.Args[:], words[4:notificationWords])
}

// Respond answers a notification. The error is ErrGone when its call no longer
// waits.
func (l *Listener) Respond(r Response) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.response)
	r.write(l.response)
	errno := ioctl(l.fd, unix.SECCOMP_IOCTL_NOTIF_SEND, &l.response[0])
	switch errno {
	case 0:
		return nil
	case unix.ENOENT:
		return ErrGone
	default:
		return fmt.Errorf("answer a seccomp notification: %w", errno)
	}
}

// write encodes struct seccomp_notif_resp. What contradicts itself denies.
func (r *Response) write(words []uint64) {
	words[0] = r.ID
	switch {
	case r.Errno != 0 || r.Perform == r.Continue:
		words[2] = uint64(uint32(-int32(r.denial())))
	case r.Continue:
		words[2] = unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE << 32
	default:
		words[1] = uint64(r.Value)
	}
}

// denial is the errno of a refusal, EPERM unless another that the kernel takes
// for one is set.
func (r *Response) denial() syscall.Errno {
	if r.Errno == 0 || r.Errno > maxErrno {
		return unix.EPERM
	}
	return r.Errno
}

// Valid reports whether the notification's call still waits for its answer. Until
// then its thread, and so a descriptor of that thread's process, is the one that
// was announced.
func (l *Listener) Valid(id uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.addFD[0] = id
	return ioctl(l.fd, unix.SECCOMP_IOCTL_NOTIF_ID_VALID, &l.addFD[0]) == 0
}

// AddFDFlags say how AddFD installs a descriptor.
type AddFDFlags uint32

// The flags of AddFD.
const (
	AddFDAt   AddFDFlags = unix.SECCOMP_ADDFD_FLAG_SETFD // at the given number, closing what is there
	AddFDSend AddFDFlags = unix.SECCOMP_ADDFD_FLAG_SEND  // and answer the call with the number (Linux 5.14)
)

// AddFD installs source, a descriptor of this process, into the process of a
// notification, and returns its number there. The number target counts only with
// AddFDAt. The error is ErrGone when the call no longer waits.
func (l *Listener) AddFD(id uint64, source, target int, flags AddFDFlags, closeOnExec bool) (int, error) {
	var newFlags uint32
	if closeOnExec {
		newFlags = unix.O_CLOEXEC
	}
	if flags&AddFDAt == 0 {
		target = 0 // the kernel refuses a number that it is not to use
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		l.addFD = [addFDWords]uint64{
			id,
			uint64(flags) | uint64(uint32(source))<<32,
			uint64(uint32(target)) | uint64(newFlags)<<32,
		}
		install := waitingIoctlResult
		if flags&AddFDSend != 0 {
			// A signal to this thread would take the descriptor back, but leave the
			// call answered, with 0 (seccomp_notify_addfd of the kernel).
			install = uninterruptedIoctl
		}
		number, errno := install(l.fd, unix.SECCOMP_IOCTL_NOTIF_ADDFD, &l.addFD[0])
		switch errno {
		case 0:
			return number, nil
		case unix.EINTR:
		case unix.ENOENT:
			return -1, ErrGone
		default:
			return -1, fmt.Errorf("install descriptor %d into the caller: %w", source, errno)
		}
	}
}

// SyncWakeUp asks the kernel to switch between the caller and the supervisor on
// one processor, which halves the cost of a notification when one thread serves.
// It returns false on a kernel without it (before Linux 6.6).
func (l *Listener) SyncWakeUp() (bool, error) {
	errno := setListenerFlags(l.fd, unix.SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP)
	switch errno {
	case 0:
		return true, nil
	case unix.EINVAL, unix.ENOTTY:
		return false, nil
	default:
		return false, fmt.Errorf("set flags of the seccomp listener: %w", errno)
	}
}
