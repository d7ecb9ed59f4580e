package seccomp_test

import (
	"errors"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/testenv"
	"github.com/pysandbox/pysandbox/seccomp"
)

// trapping returns a filter that traps the given calls and allows the rest.
func trapping(numbers ...uint32) seccomp.Program {
	program := seccomp.Program{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS}}
	for i, number := range numbers {
		program = append(program, seccomp.Instruction{
			Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: uint8(len(numbers) - i), K: number,
		})
	}
	return append(program,
		seccomp.Instruction{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
		seccomp.Instruction{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_USER_NOTIF})
}

// confined runs the function on a thread under the program and returns the
// listener and a channel that closes when the function has returned. The thread
// dies with it.
func confined(tb testing.TB, program seccomp.Program, run func()) (*seccomp.Listener, <-chan struct{}) {
	tb.Helper()
	testenv.Need(tb, testenv.Notify)
	type installed struct {
		fd  int
		err error
	}
	ready, done := make(chan installed), make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the runtime ends the thread
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			ready <- installed{-1, err}
			return
		}
		fd, err := program.Install(seccomp.LoadFlags())
		ready <- installed{fd, err}
		if err == nil {
			run()
		}
	}()
	result := <-ready
	if result.err != nil {
		tb.Fatal(result.err)
	}
	listener, err := seccomp.NewListener(result.fd)
	if err != nil {
		tb.Fatal(err)
	}
	return listener, done
}

func receive(tb testing.TB, listener *seccomp.Listener) seccomp.Notification {
	tb.Helper()
	var n seccomp.Notification
	if err := listener.Receive(&n); err != nil {
		tb.Fatal(err)
	}
	return n
}

func TestListenerTellsTheCallAndItsAnswer(t *testing.T) {
	const denied = -1
	for name, test := range map[string]struct {
		response seccomp.Response
		value    int
		errno    syscall.Errno
	}{
		"the zero response denies":   {seccomp.Response{}, denied, unix.EPERM},
		"an errno denies":            {seccomp.Response{Errno: unix.EACCES}, denied, unix.EACCES},
		"an errno beats a value":     {seccomp.Response{Errno: unix.EACCES, Perform: true, Value: 7}, denied, unix.EACCES},
		"an errno beats continue":    {seccomp.Response{Errno: unix.EACCES, Continue: true}, denied, unix.EACCES},
		"a contradiction denies":     {seccomp.Response{Perform: true, Continue: true, Value: 7}, denied, unix.EPERM},
		"an impossible errno denies": {seccomp.Response{Errno: 4096}, denied, unix.EPERM},
		"a value without perform":    {seccomp.Response{Value: 7}, denied, unix.EPERM},
		"perform returns the value":  {seccomp.Response{Perform: true, Value: 4242}, 4242, 0},
		"continue runs the call":     {seccomp.Response{Continue: true}, unix.Getppid(), 0},
	} {
		t.Run(name, func(t *testing.T) {
			var value uintptr
			var errno syscall.Errno
			listener, done := confined(t, trapping(unix.SYS_GETPPID), func() {
				value, _, errno = unix.Syscall6(unix.SYS_GETPPID, 1, 2, 3, 4, 5, 1<<40)
			})
			defer listener.Close()
			n := receive(t, listener)
			if n.Syscall != unix.SYS_GETPPID || n.Arch != seccomp.ArchX86_64 || n.PID == 0 ||
				n.InstructionPointer == 0 || n.Args != [6]uint64{1, 2, 3, 4, 5, 1 << 40} {
				t.Errorf("received %+v", n)
			}
			if !listener.Valid(n.ID) || listener.Valid(n.ID+1) {
				t.Error("the waiting call is not valid, or another is")
			}
			test.response.ID = n.ID
			if err := listener.Respond(test.response); err != nil {
				t.Fatal(err)
			}
			<-done
			if int(value) != test.value || errno != test.errno {
				t.Errorf("the call returned %d, %v; want %d, %v", int(value), errno, test.value, test.errno)
			}
			if listener.Valid(n.ID) {
				t.Error("an answered call is still valid")
			}
			if err := listener.Respond(test.response); !errors.Is(err, seccomp.ErrGone) {
				t.Errorf("a second answer gives %v", err)
			}
		})
	}
}

func TestListenerAddsDescriptors(t *testing.T) {
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pipe[0])
	defer unix.Close(pipe[1])
	const target = 700
	for name, test := range map[string]struct {
		flags       seccomp.AddFDFlags
		closeOnExec bool
	}{
		"lowest number":           {0, false},
		"lowest, close on exec":   {0, true},
		"given number":            {seccomp.AddFDAt, true},
		"answered with a number":  {seccomp.AddFDSend, false},
		"answered, given, closed": {seccomp.AddFDSend | seccomp.AddFDAt, true},
	} {
		t.Run(name, func(t *testing.T) {
			var returned uintptr
			listener, done := confined(t, trapping(unix.SYS_GETPPID), func() {
				returned, _, _ = unix.Syscall(unix.SYS_GETPPID, 0, 0, 0)
			})
			defer listener.Close()
			n := receive(t, listener)
			number, err := listener.AddFD(n.ID, pipe[0], target, test.flags, test.closeOnExec)
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Close(number)
			if test.flags&seccomp.AddFDSend == 0 {
				if err := listener.Respond(seccomp.Response{ID: n.ID, Perform: true, Value: int64(number)}); err != nil {
					t.Fatal(err)
				}
			}
			<-done
			if int(returned) != number || (test.flags&seccomp.AddFDAt != 0) != (number == target) {
				t.Errorf("the call returned %d, AddFD %d", returned, number)
			}
			flags, err := unix.FcntlInt(uintptr(number), unix.F_GETFD, 0)
			if err != nil || (flags&unix.FD_CLOEXEC != 0) != test.closeOnExec {
				t.Errorf("descriptor flags %#x, %v", flags, err)
			}
			if _, err := listener.AddFD(n.ID, pipe[0], 0, 0, false); !errors.Is(err, seccomp.ErrGone) {
				t.Errorf("AddFD after the answer gives %v", err)
			}
		})
	}
}

// TestListenerSeesTheEnd closes what a supervisor waits on.
func TestListenerSeesTheEnd(t *testing.T) {
	listener, done := confined(t, trapping(unix.SYS_GETPPID), func() {})
	defer listener.Close()
	<-done
	poll := []unix.PollFd{{Fd: int32(listener.Fd()), Events: unix.POLLIN}}
	for poll[0].Revents == 0 {
		if _, err := unix.Poll(poll, 5000); err != nil && err != unix.EINTR {
			t.Fatal(err)
		}
	}
	if poll[0].Revents&unix.POLLHUP == 0 {
		t.Errorf("poll gives %#x without POLLHUP", poll[0].Revents)
	}
}

func TestListenerClosedMeansNoSuchCall(t *testing.T) {
	var errno syscall.Errno
	listener, done := confined(t, trapping(unix.SYS_GETPPID), func() {
		_, _, errno = unix.Syscall(unix.SYS_GETPPID, 0, 0, 0)
	})
	receive(t, listener)
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	<-done
	if errno != unix.ENOSYS {
		t.Errorf("a call whose supervisor is gone gives %v", errno)
	}
	if err := listener.Receive(new(seccomp.Notification)); err == nil {
		t.Error("a closed listener receives")
	}
}

func TestListenerDoesNotAllocate(t *testing.T) {
	const calls = 64
	listener, done := confined(t, trapping(unix.SYS_GETPPID), func() {
		for range calls {
			_, _, _ = unix.Syscall(unix.SYS_GETPPID, 0, 0, 0)
		}
	})
	defer listener.Close()
	if _, err := listener.SyncWakeUp(); err != nil {
		t.Fatal(err)
	}
	var n seccomp.Notification
	allocations := testing.AllocsPerRun(calls-1, func() {
		if err := listener.Receive(&n); err != nil {
			t.Fatal(err)
		}
		if !listener.Valid(n.ID) {
			t.Fatal("not valid")
		}
		if err := listener.Respond(seccomp.Response{ID: n.ID, Perform: true}); err != nil {
			t.Fatal(err)
		}
	})
	<-done
	if allocations != 0 {
		t.Errorf("%v allocations per call", allocations)
	}
}

func TestLoadFlagsAreAccepted(t *testing.T) {
	if flags := seccomp.LoadFlags(); flags&seccomp.FlagNewListener == 0 || flags&seccomp.FlagSpecAllow == 0 {
		t.Errorf("flags %#x lack the listener or speculation", flags)
	}
}

// plainCall makes a call with all arguments 0.
func plainCall(number int32) error {
	if _, _, errno := unix.Syscall6(uintptr(number), 0, 0, 0, 0, 0, 0); errno != 0 {
		return errno
	}
	return nil
}
