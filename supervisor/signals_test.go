package supervisor

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// miniCommand is a small supervisor that runs script; see helper_test.go.
func miniCommand(script string) *exec.Cmd {
	command := exec.Command("/proc/self/exe")
	command.Env = append(os.Environ(), "PSB_MINI="+script)
	return command
}

// running starts script under a small supervisor and waits for its first line.
func running(t *testing.T, script string) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	command := miniCommand(script)
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
	reader := bufio.NewReader(out)
	if line, err := reader.ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("%q, %v", line, err)
	}
	return command, reader
}

// exitCode waits for the supervisor.
func exitCode(t *testing.T, command *exec.Cmd) int {
	t.Helper()
	timer := time.AfterFunc(patience, func() { _ = command.Process.Kill() })
	defer timer.Stop()
	_ = command.Wait()
	return command.ProcessState.ExitCode()
}

func TestSignalsReachTheProgram(t *testing.T) {
	for sig, name := range map[syscall.Signal]string{
		unix.SIGINT: "INT", unix.SIGTERM: "TERM", unix.SIGHUP: "HUP", unix.SIGQUIT: "QUIT",
		unix.SIGUSR1: "USR1", unix.SIGUSR2: "USR2", unix.SIGWINCH: "WINCH", unix.SIGTSTP: "TSTP", unix.SIGCONT: "CONT",
	} {
		t.Run(name, func(t *testing.T) {
			command, _ := running(t, "trap 'exit 7' "+name+"; echo ready; while :; do sleep 0.01; done")
			_ = command.Process.Signal(sig)
			if code := exitCode(t, command); code != 7 {
				t.Errorf("exit status %d, want the handler's 7", code)
			}
		})
	}
}

func TestSignalEndsTheProgram(t *testing.T) {
	command, _ := running(t, "echo ready; exec sleep 300")
	_ = command.Process.Signal(unix.SIGTERM)
	if code := exitCode(t, command); code != 128+15 {
		t.Errorf("exit status %d, want 143", code)
	}
}

// A supervisor that has left the signals to their defaults is ended by one, and by
// its number.
func TestSignalsDoWhatTheyDoByDefaultInTheEnd(t *testing.T) {
	for _, sig := range []syscall.Signal{unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT} {
		command := miniCommand("echo ready")
		command.Env = append(command.Env, "PSB_MINI_LEAVE=1", "GOTRACEBACK=none")
		out, err := command.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		reader := bufio.NewReader(out)
		for _, want := range []string{"ready\n", "left\n"} {
			if line, err := reader.ReadString('\n'); err != nil || line != want {
				t.Fatalf("%q, %v; want %q", line, err, want)
			}
		}
		_ = command.Process.Signal(sig)
		code := exitCode(t, command) // which kills what goes on
		status := command.ProcessState.Sys().(syscall.WaitStatus)
		if !endedBy(status, sig) {
			t.Errorf("%v: exit status %d, want the end that the signal brings", sig, code)
		}
	}
}

// endedBy is whether a Go program ended by a signal as it does by default: the
// runtime dies of SIGQUIT by exiting with 2, after it has printed its stacks.
func endedBy(status syscall.WaitStatus, sig syscall.Signal) bool {
	if sig == unix.SIGQUIT {
		return status.Exited() && status.ExitStatus() == 2
	}
	return status.Signaled() && status.Signal() == sig
}

func TestSecondSignalKills(t *testing.T) {
	for _, second := range []syscall.Signal{unix.SIGTERM, unix.SIGINT} {
		command, out := running(t, "trap 'echo caught' INT TERM; echo ready; while :; do sleep 0.01; done")
		_ = command.Process.Signal(unix.SIGINT)
		if line, err := out.ReadString('\n'); err != nil || line != "caught\n" {
			t.Fatalf("%q, %v", line, err)
		}
		_ = command.Process.Signal(second)
		if code := exitCode(t, command); code != 128+int(second) {
			t.Errorf("exit status %d, want %d", code, 128+int(second))
		}
	}
}

// The program gives no sign that it has had the first, but to the test.
func TestSecondSignalKillsTheSilent(t *testing.T) {
	sign := t.TempDir() + "/sign"
	command, _ := running(t, "trap ': >"+sign+"' TERM; echo ready; while :; do sleep 0.01; done")
	_ = command.Process.Signal(unix.SIGTERM)
	awaitFile(t, sign)
	time.Sleep(3 * echo)
	_ = command.Process.Signal(unix.SIGTERM)
	if code := exitCode(t, command); code != 128+15 {
		t.Errorf("exit status %d, want 143", code)
	}
}

// timeout(1) signals its child and then the child's group.
func TestEchoOfASignalKillsNobody(t *testing.T) {
	inTime(t, func() (late string) {
		sign := t.TempDir() + "/sign"
		command, _ := running(t, "trap ': >"+sign+"; sleep 0.3; exit 3' TERM; echo ready; while :; do sleep 0.01; done")
		_ = command.Process.Signal(unix.SIGTERM)
		awaitFile(t, sign) // so that the two do not become one
		_ = command.Process.Signal(unix.SIGTERM)
		if code := exitCode(t, command); code != 3 { // or the second has come too late for an echo
			return fmt.Sprintf("exit status %d, want the program's own 3", code)
		}
		return ""
	})
}

// awaitFile waits until path is there.
func awaitFile(t *testing.T, path string) {
	t.Helper()
	there := func() bool {
		_, err := os.Stat(path)
		return err == nil
	}
	if !until(there) {
		t.Fatalf("there is no %s", path)
	}
}

// Under nohup(1) a hangup stays ignored.
func TestIgnoredSignalStaysIgnored(t *testing.T) {
	command := exec.Command("sh", "-c", "trap '' HUP; exec /proc/$PPID/exe")
	command.Env = append(os.Environ(), "PSB_MINI=echo ready; read line; exit 3")
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	in, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, 6)); err != nil {
		t.Fatal(err)
	}
	_ = command.Process.Signal(unix.SIGHUP)
	time.Sleep(100 * time.Millisecond)
	_, _ = io.WriteString(in, "\n")
	if code := exitCode(t, command); code != 3 {
		t.Errorf("exit status %d, want the program's own 3", code)
	}
}

// When the program has ended, there is only its output to give up.
func TestSignalAfterTheProgram(t *testing.T) {
	command := exec.Command("true")
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	pidfd, err := unix.PidfdOpen(command.Process.Pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pidfd)
	_ = command.Wait()
	got := make(chan Cause, 1)
	s := CatchSignals(func(c Cause) { got <- c })
	defer s.Stop()
	s.Attach(pidfd, command.Process.Pid, &Stdio{})
	if err := unix.Kill(os.Getpid(), unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case c := <-got:
		if c.Kind != CauseSignal || c.Signal != unix.SIGTERM {
			t.Errorf("%+v", c)
		}
	case <-time.After(patience):
		t.Error("nothing happened")
	}
}

func TestSignalBeforeTheProgramRuns(t *testing.T) {
	got := make(chan Cause, 10)
	s := CatchSignals(func(c Cause) { got <- c })
	defer s.Stop()
	send := func(sig syscall.Signal) {
		if err := unix.Kill(os.Getpid(), sig); err != nil {
			t.Fatal(err)
		}
	}
	send(unix.SIGUSR1) // ends nothing
	select {
	case c := <-got:
		t.Errorf("%+v", c)
	case <-time.After(200 * time.Millisecond):
	}
	for _, sig := range []syscall.Signal{unix.SIGTERM, unix.SIGHUP} {
		send(sig)
		select {
		case c := <-got:
			if c.Kind != CauseSignal || c.Signal != sig {
				t.Errorf("%v: %+v", sig, c)
			}
		case <-time.After(patience):
			t.Errorf("%v: nothing happened", sig)
		}
	}
}

func TestOutputLimitEndsTheRun(t *testing.T) {
	command := miniCommand("exec yes")
	command.Env = append(command.Env, "PSB_MINI_OUTPUT=1000")
	out, err := command.Output()
	if err == nil || len(out) != 1000 {
		t.Errorf("%d bytes, %v", len(out), err)
	}
	if code := command.ProcessState.ExitCode(); code != ExitLimit {
		t.Errorf("exit status %d", code)
	}
}
