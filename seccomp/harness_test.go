package seccomp_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/testenv"
	"github.com/pysandbox/pysandbox/seccomp"
	"github.com/pysandbox/pysandbox/seccomp/libseccomp"
)

// childVariable makes the test binary the launcher of a confined program.
const childVariable = "PYSANDBOX_TEST_CONFINED"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		fmt.Fprintln(os.Stderr, "launcher:", confineAndExecute())
		os.Exit(125)
	}
	os.Exit(m.Run())
}

// confineAndExecute reads a program from descriptor 3, loads it, says the number
// of the listener on socket 4, waits for a byte there and executes its arguments.
func confineAndExecute() error {
	runtime.LockOSThread()
	code, err := io.ReadAll(os.NewFile(3, "filter"))
	if err != nil {
		return err
	}
	program, err := seccomp.ParseProgram(code)
	if err != nil {
		return err
	}
	path, err := exec.LookPath(os.Args[1])
	if err != nil {
		return err
	}
	environment := slices.DeleteFunc(os.Environ(), func(s string) bool { return s == childVariable+"=1" })
	unix.CloseOnExec(4)
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	listener, err := program.Install(seccomp.LoadFlags())
	if err != nil {
		return err
	}
	if _, err := unix.Write(4, binary.NativeEndian.AppendUint32(nil, uint32(listener))); err != nil {
		return err
	}
	if n, err := unix.Read(4, make([]byte, 1)); n != 1 {
		return fmt.Errorf("not told to go on: %w", err)
	}
	return syscall.Exec(path, os.Args[1:], environment)
}

// outcome is what became of a confined program.
type outcome struct {
	output   string   // both streams
	status   string   // "0", another exit status, or the name of a signal
	reported []string // calls whose refusal the supervisor was told of, each once
	trapped  []string // calls that the supervisor was asked about, each once
}

// runConfined runs a command under a filter. The supervisor lets the kernel run
// what it is asked about, as no broker is under test, and refuses the rest.
func runConfined(tb testing.TB, spec seccomp.FilterSpec, argv ...string) outcome {
	tb.Helper()
	testenv.Need(tb, testenv.Notify)
	program, err := compiled(spec)
	if err != nil {
		tb.Fatal(err)
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		tb.Fatal(err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "control"), os.NewFile(uintptr(pair[1]), "control")
	defer ours.Close()
	read, write, err := os.Pipe()
	if err != nil {
		tb.Fatal(err)
	}
	var output bytes.Buffer
	cmd := exec.CommandContext(tb.Context(), "/proc/self/exe", argv...)
	cmd.Env = append(os.Environ(), childVariable+"=1")
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.ExtraFiles = []*os.File{read, theirs}
	err = cmd.Start()
	theirs.Close()
	read.Close()
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := write.Write(program.Bytes()); err != nil {
		tb.Fatal(err)
	}
	write.Close()
	listener := takeListener(tb, cmd, ours, &output)
	defer listener.Close()
	killer := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	result := make(chan outcome, 1)
	go func() { result <- supervise(tb, listener, spec) }()
	if _, err := ours.Write([]byte{1}); err != nil {
		tb.Fatal(err)
	}
	err = cmd.Wait()
	if !killer.Stop() {
		tb.Errorf("%v did not end", argv)
	}
	out := <-result
	out.output, out.status = output.String(), statusText(err)
	return out
}

// takeListener takes the listener out of the launcher, by the number it says.
func takeListener(tb testing.TB, cmd *exec.Cmd, control *os.File, output *bytes.Buffer) *seccomp.Listener {
	tb.Helper()
	var number [4]byte
	if n, err := control.Read(number[:]); n != len(number) {
		_ = cmd.Wait()
		tb.Fatalf("the launcher failed, %v: %s", err, output)
	}
	pidfd, err := unix.PidfdOpen(cmd.Process.Pid, 0)
	if err != nil {
		tb.Fatal(err)
	}
	defer unix.Close(pidfd)
	fd, err := unix.PidfdGetfd(pidfd, int(binary.NativeEndian.Uint32(number[:])), 0)
	if err != nil {
		tb.Fatal(err)
	}
	listener, err := seccomp.NewListener(fd)
	if err != nil {
		tb.Fatal(err)
	}
	return listener
}

// supervise answers notifications until no process is left under the filter.
func supervise(tb testing.TB, listener *seccomp.Listener, spec seccomp.FilterSpec) outcome {
	var out outcome
	poll := []unix.PollFd{{Fd: int32(listener.Fd()), Events: unix.POLLIN}}
	for poll[0].Revents&unix.POLLHUP == 0 {
		if _, err := unix.Poll(poll, -1); err != nil && !errors.Is(err, unix.EINTR) {
			tb.Errorf("poll: %v", err)
			return out
		}
		if poll[0].Revents&unix.POLLIN == 0 {
			continue
		}
		var n seccomp.Notification
		err := listener.Receive(&n)
		if err == nil {
			err = listener.Respond(out.answer(spec, n))
		}
		if err != nil && !errors.Is(err, seccomp.ErrGone) {
			tb.Errorf("supervise: %v", err)
			return out
		}
	}
	return out
}

func (o *outcome) answer(spec seccomp.FilterSpec, n seccomp.Notification) seccomp.Response {
	data := seccomp.Data{Number: n.Syscall, Arch: n.Arch, InstructionPointer: n.InstructionPointer, Args: n.Args}
	ruling, _ := spec.Ruling(data)
	seen, response := &o.reported, seccomp.Response{ID: n.ID, Errno: syscall.Errno(ruling.Errno)}
	if ruling.Action == seccomp.ActNotify {
		seen, response = &o.trapped, seccomp.Response{ID: n.ID, Continue: true}
	}
	name := seccomp.Name(n.Syscall)
	if data.Foreign() {
		name = "foreign"
	}
	if !slices.Contains(*seen, name) {
		*seen = append(*seen, name)
	}
	return response
}

// runFree runs a command without a filter, as the control.
func runFree(tb testing.TB, argv ...string) outcome {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), argv[0], argv[1:]...)
	output, err := cmd.CombinedOutput()
	return outcome{output: string(output), status: statusText(err)}
}

func statusText(err error) string {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return "0"
	case !errors.As(err, &exit):
		return err.Error()
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return unix.SignalName(status.Signal())
	}
	return fmt.Sprint(exit.ExitCode())
}

// programs are the filters compiled by now; tests share few.
var programs sync.Map

func compiled(spec seccomp.FilterSpec) (seccomp.Program, error) {
	if program, found := programs.Load(spec.Digest()); found {
		return program.(seccomp.Program), nil
	}
	program, err := libseccomp.Compile(spec)
	if err == nil {
		programs.Store(spec.Digest(), program)
	}
	return program, err
}
