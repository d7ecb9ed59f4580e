package supervisor

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// This test binary can also be a small supervisor without a sandbox: it runs
// PSB_MINI as the program, with standard input and output, terminal and signals
// as Run has them. Tests start it where a real one would stand: in front of a
// terminal, in a pipeline, in a shell's job.
func init() {
	if script := os.Getenv("PSB_MINI"); script != "" {
		os.Exit(mini(script))
	}
	// Under nohup(1) what the tests start would ignore the signal too, if it were not
	// caught here: a caught signal gets its default action at execve(2).
	signal.Notify(make(chan os.Signal, 1), unix.SIGHUP)
}

// sessionLeader stands for PID 1: it leads the session, and the program is the
// foreground job of its terminal in a group of its own. It writes to descriptor
// 3 what PID 1 would report.
const sessionLeader = `
import os, signal, sys
tty = os.isatty(0)
pid = os.fork()
if pid == 0:
    os.close(3)
    os.read(4, 1)  # the word to go
    os.close(4)
    os.setpgid(0, 0)
    if tty:
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        os.tcsetpgrp(0, os.getpid())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.execvp("sh", ["sh", "-c", sys.argv[1]])
os.write(3, b"p %d\n" % pid)
while True:
    _, status = os.waitpid(pid, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        os.write(3, b"s 0\n")
        continue
    os.write(3, b"e %d\n" % status)
    os._exit(0)
`

func mini(script string) int {
	s, err := OpenStdio([3]int{0, 1, 2}, -1, -1)
	if err != nil {
		panic(err)
	}
	defer s.Close()
	if err := openPTY(s); err != nil {
		panic(err)
	}
	var cause FirstCause
	command := exec.Command("/usr/bin/python3", "-I", "-S", "-c", sessionLeader, script)
	var kill func()
	signals := CatchSignals(func(c Cause) { cause.Set(c); kill() })
	kill = func() { _ = command.Process.Kill() }
	defer signals.Stop()
	reports, told, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	command.Env = append(os.Environ(), "PSB_MINI=")
	command.Stdin, command.Stdout, command.Stderr = s.Child[0], s.Child[1], s.Child[2]
	goRead, goWrite, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	command.ExtraFiles = []*os.File{told, goRead}
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: s.Controlling(), Pdeathsig: unix.SIGKILL}
	if err := command.Start(); err != nil {
		panic(err)
	}
	_, _ = told.Close(), goRead.Close()
	s.CloseChild()
	limit, _ := strconv.ParseInt(os.Getenv("PSB_MINI_OUTPUT"), 10, 64)
	s.Start(limit, func() { cause.Set(Cause{Kind: CauseOutput}); kill() })
	status, ended := follow(reports, goWrite, signals, s, &kill)
	_ = command.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_ = s.Drain(ctx)
	if os.Getenv("PSB_MINI_LEAVE") != "" {
		signals.Leave()
		fmt.Println("left")
		time.Sleep(2 * patience)
	}
	return NewReport(Evidence{Status: status, Ended: ended, Cause: cause.Get()}).ExitCode
}

// openPTY makes the terminal as the stage would, of the host's devpts.
func openPTY(s *Stdio) error {
	if s.terminals == 0 {
		return nil
	}
	const flags = unix.O_RDWR | unix.O_NOCTTY | unix.O_CLOEXEC
	master, err := unix.Open("/dev/ptmx", flags|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	if err := unix.IoctlSetPointerInt(master, unix.TIOCSPTLCK, 0); err != nil {
		return err
	}
	slave, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(master), unix.TIOCGPTPEER, flags)
	if errno != 0 {
		return errno
	}
	pty := os.NewFile(slave, "pty")
	s.spare = append(s.spare, pty)
	for i := range s.Child {
		if s.terminals&(1<<i) != 0 {
			s.Child[i] = pty
		}
	}
	return s.attach(master)
}

// follow reads the session leader's reports until the program has ended.
func follow(reports, goWrite *os.File, signals *Signals, stdio *Stdio, kill *func()) (unix.WaitStatus, bool) {
	for {
		var what string
		var number int
		if _, err := fmt.Fscanln(reports, &what, &number); err != nil {
			return 0, false
		}
		switch what {
		case "p":
			pidfd, err := unix.PidfdOpen(number, 0)
			if err != nil {
				panic(err)
			}
			leader := *kill
			*kill = func() { _ = unix.PidfdSendSignal(pidfd, unix.SIGKILL, nil, 0); leader() }
			signals.Attach(pidfd, number, stdio)
			_ = goWrite.Close()
		case "s":
			signals.Suspend()
		case "e":
			return unix.WaitStatus(number), true
		}
	}
}
