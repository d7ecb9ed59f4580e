package supervisor

import (
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// screen is a person's terminal: what is typed at it and what it shows.
type screen struct {
	t      *testing.T
	master *os.File
	tty    *os.File

	mu    sync.Mutex
	shown strings.Builder
	seen  int // expect looks from here
}

func newScreen(t *testing.T) *screen {
	t.Helper()
	master, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	// The library's file blocks in Read; one that polls ends when it is closed.
	fd, err := unix.FcntlInt(master.Fd(), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	_ = master.Close()
	master = os.NewFile(uintptr(fd), "screen")
	s := &screen{t: t, master: master, tty: tty}
	s.resize(25, 80)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		buf := make([]byte, 4096)
		for {
			n, err := master.Read(buf)
			s.mu.Lock()
			s.shown.Write(buf[:n])
			s.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() { _ = tty.Close(); _ = master.Close(); <-ended })
	return s
}

func (s *screen) resize(rows, columns uint16) {
	s.t.Helper()
	raw, err := s.master.SyscallConn() // Fd would make it block
	if err != nil {
		s.t.Fatal(err)
	}
	err = raw.Control(func(fd uintptr) {
		_ = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: columns})
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *screen) enter(keys string) {
	s.t.Helper()
	if _, err := io.WriteString(s.master, keys); err != nil {
		s.t.Fatal(err)
	}
}

func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shown.String()
}

// expect waits until text has been shown after what was expected last.
func (s *screen) expect(text string) {
	s.t.Helper()
	shown := func() bool {
		at := strings.Index(s.text()[s.seen:], text)
		if at >= 0 {
			s.seen += at + len(text)
		}
		return at >= 0
	}
	if until(shown) {
		return
	}
	s.t.Fatalf("no %q in\n%q", text, s.text()[s.seen:])
}

// modes are the settings of the person's terminal.
func (s *screen) modes() unix.Termios {
	s.t.Helper()
	modes, err := unix.IoctlGetTermios(int(s.tty.Fd()), unix.TCGETS)
	if err != nil {
		s.t.Fatal(err)
	}
	return *modes
}

func (s *screen) isRaw() bool { return s.modes().Lflag&unix.ICANON == 0 }

// awaitRaw waits for the terminal to become raw or not.
func (s *screen) awaitRaw(want bool) {
	s.t.Helper()
	if !until(func() bool { return s.isRaw() == want }) {
		s.t.Fatalf("raw is not %v", want)
	}
}

// run starts command as the leader of the terminal's session; descriptors that
// are nil are the terminal.
func (s *screen) run(command *exec.Cmd) {
	s.t.Helper()
	ctty := -1
	if command.Stdin == nil {
		command.Stdin, ctty = s.tty, 0
	}
	if command.Stdout == nil {
		command.Stdout, ctty = s.tty, 1
	}
	if command.Stderr == nil {
		command.Stderr, ctty = s.tty, 2
	}
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: ctty}
	if err := command.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
}

func TestTerminalIsTheProgramsOwn(t *testing.T) {
	s := newScreen(t)
	before := s.modes()
	command := miniCommand(`test -t 0 && test -t 1 && test -t 2 && stty size && stty -a | grep -c ' icanon' &&
		test "$(stat -Lc %t:%T /dev/fd/0)" != "$(stat -Lc %t:%T ` + s.tty.Name() + `)" && echo own >/dev/tty; exit 5`)
	s.run(command)
	s.expect("25 80\r\n1\r\nown\r\n")
	if code := exitCode(t, command); code != 5 {
		t.Errorf("exit status %d", code)
	}
	if s.modes() != before {
		t.Error("the terminal was not restored")
	}
}

func TestTerminalInterrupt(t *testing.T) {
	s := newScreen(t)
	before := s.modes()
	command := miniCommand(`n=0; trap 'n=$((n+1))' INT; echo ready; while ! read -r line; do :; done; echo "$n interrupts, $line"`)
	s.run(command)
	s.expect("ready")
	s.awaitRaw(true)
	s.enter("\x03")
	s.expect("^C")
	time.Sleep(100 * time.Millisecond) // for a second one, were there one
	s.enter("hello\r")
	s.expect("1 interrupts, hello\r\n")
	exitCode(t, command)
	if s.modes() != before {
		t.Error("the terminal was not restored")
	}
}

func TestTerminalInterruptEndsTheProgram(t *testing.T) {
	s := newScreen(t)
	command := miniCommand(`echo ready; exec sleep 300`)
	s.run(command)
	s.expect("ready")
	s.awaitRaw(true)
	s.enter("\x03")
	if code := exitCode(t, command); code != 130 {
		t.Errorf("exit status %d, want 130", code)
	}
	if s.isRaw() {
		t.Error("the terminal is left raw")
	}
}

func TestTerminalIsRestoredAfterASignal(t *testing.T) {
	for _, sig := range []syscall.Signal{unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT} {
		s := newScreen(t)
		before := s.modes()
		command := miniCommand("echo ready; exec sleep 300")
		s.run(command)
		s.expect("ready")
		s.awaitRaw(true)
		_ = command.Process.Signal(sig)
		if code := exitCode(t, command); code != 128+int(sig) {
			t.Errorf("%v: exit status %d", sig, code)
		}
		if s.modes() != before {
			t.Errorf("%v: the terminal was not restored", sig)
		}
	}
}

func TestTerminalEndOfInput(t *testing.T) {
	s := newScreen(t)
	command := miniCommand("echo ready; cat; echo end")
	s.run(command)
	s.expect("ready")
	s.awaitRaw(true)
	s.enter("line\r")
	s.expect("line\r\nline\r\n") // the echo and cat's copy
	s.enter("\x04")
	s.expect("end")
	exitCode(t, command)
}

func TestTerminalPasswordIsNotShown(t *testing.T) {
	s := newScreen(t)
	command := miniCommand(`stty -echo; echo ready; read -r word; stty echo; echo "got ${#word}"`)
	s.run(command)
	s.expect("ready")
	s.awaitRaw(true)
	s.enter("secret\r")
	s.expect("got 6")
	if strings.Contains(s.text(), "secret") {
		t.Error("the password was shown")
	}
	exitCode(t, command)
}

func TestTerminalResize(t *testing.T) {
	s := newScreen(t)
	command := miniCommand(`trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.05; done`)
	s.run(command)
	s.expect("ready")
	s.resize(33, 99)
	s.expect("33 99")
	exitCode(t, command)
}

// pysandbox exec job.py | less: the pager keeps the terminal, and has its modes.
func TestTerminalInAPipeline(t *testing.T) {
	s := newScreen(t)
	r, w := pipe(t)
	command := miniCommand(`test -t 0 && ! test -t 1 && test -t 2 && seq 3; sleep 0.5`)
	command.Stdout = w
	s.run(command)
	for range 40 {
		if s.isRaw() {
			t.Fatal("the terminal went raw under the pager")
		}
		time.Sleep(10 * time.Millisecond)
	}
	exitCode(t, command)
	if got := readAll(t, r, w); got != "1\n2\n3\n" {
		t.Errorf("%q", got)
	}
}

// pysandbox exec ask.py | tee log: a line that nobody else takes is the
// program's.
func TestTerminalInAPipelineAsks(t *testing.T) {
	s := newScreen(t)
	r, w := pipe(t)
	command := miniCommand(`read -r line; echo "got $line"`)
	command.Stdout = w
	s.run(command)
	s.enter("hello\n")
	exitCode(t, command)
	if got := readAll(t, r, w); got != "got hello\n" {
		t.Errorf("%q", got)
	}
	if s.isRaw() {
		t.Error("the terminal is left raw")
	}
}

func TestTerminalInAPipelineAsksForAPassword(t *testing.T) {
	s := newScreen(t)
	r, w := pipe(t)
	command := miniCommand(`stty -echo; read -r word; stty echo; echo "got ${#word}"`)
	command.Stdout = w
	s.run(command)
	s.awaitRaw(true)
	s.enter("secret\r")
	exitCode(t, command)
	if got := readAll(t, r, w); got != "got 6\n" {
		t.Errorf("%q", got)
	}
	if strings.Contains(s.text(), "secret") {
		t.Error("the password was shown")
	}
}

// pysandbox exec job.py > file: nobody else wants the terminal.
func TestTerminalWithOutputInAFile(t *testing.T) {
	s := newScreen(t)
	path := t.TempDir() + "/out"
	command := miniCommand(`test -t 0 && ! test -t 1 && test -t 2 && echo ask >&2; read -r line; echo "got $line"`)
	command.Stdout = open(t, path, os.O_WRONLY|os.O_CREATE)
	s.run(command)
	s.expect("ask\r\n")
	s.awaitRaw(true)
	s.enter("hello\r")
	s.expect("hello")
	exitCode(t, command)
	if got := content(t, path); got != "got hello\n" {
		t.Errorf("%q", got)
	}
}

// echo x | pysandbox exec job.py: output is a terminal, keys are not taken, and
// ^C is the kernel's for us to pass on, once.
func TestTerminalForOutputOnly(t *testing.T) {
	s := newScreen(t)
	inR, inW := pipe(t)
	command := miniCommand(`! test -t 0 && test -t 1 && test -t 2 || exit 1; n=0; trap 'n=$((n+1)); echo caught' INT; echo ready; while ! read -r line; do :; done; echo "$n $line"`)
	command.Stdin = inR
	s.run(command)
	s.expect("ready\r\n")
	if s.isRaw() {
		t.Error("the terminal is raw")
	}
	s.enter("\x03")
	s.expect("^C")
	s.expect("caught\r\n")
	time.Sleep(100 * time.Millisecond) // for a second one, were there one
	_, _ = inW.WriteString("x\n")
	s.expect("1 x\r\n")
	if code := exitCode(t, command); code != 0 {
		t.Errorf("exit status %d", code)
	}
	if strings.Contains(s.text(), "\r\r\n") {
		t.Errorf("newlines were handled twice: %q", s.text())
	}
}

// A shell's job: ^Z stops it and gives the prompt and the modes back, fg goes on.
func TestTerminalJobControl(t *testing.T) {
	s := newScreen(t)
	s.run(s.shell())
	s.expect("$ ")
	prompt := s.modes()
	s.enter("PSB_MINI='echo ready; read -r line; echo got $line' $MINI\r")
	s.expect("ready\r\n")
	s.awaitRaw(true)
	s.enter("\x1a")
	s.expect("Stopped")
	s.expect("$ ")
	if modes := s.modes(); modes.Lflag != prompt.Lflag || modes.Oflag != prompt.Oflag {
		t.Errorf("modes at the prompt: %#x, want %#x", modes.Lflag, prompt.Lflag)
	}
	s.enter("fg\r")
	s.expect("MINI\r\n")
	s.awaitRaw(true)
	s.enter("hello\r")
	s.expect("got hello\r\n")
	s.expect("$ ")
	if s.modes() != prompt {
		t.Error("the terminal was not restored")
	}
	s.enter("exit\r")
}

// In the background it runs, writes, and leaves the terminal alone until fg.
func TestTerminalBackgroundJob(t *testing.T) {
	s := newScreen(t)
	s.run(s.shell())
	s.expect("$ ")
	s.enter("PSB_MINI='echo re''ady; read -r line; echo got $line' $MINI &\r")
	s.expect("ready\r\n")
	s.enter("echo typed''at the shell\r")
	s.expect("typedat the shell\r\n")
	s.enter("fg\r")
	s.expect("MINI\r\n")
	s.enter("hello\r")
	s.expect("got hello\r\n")
	s.enter("exit\r")
}

// A shell that edits lines shows none of what is typed by the terminal itself. A job
// that was started meanwhile has what a program gets once it is in the foreground.
func TestTerminalBackgroundJobOfALineEditor(t *testing.T) {
	s := newScreen(t)
	shell := s.shell()
	shell.Args = slices.DeleteFunc(shell.Args, func(arg string) bool { return arg == "--noediting" })
	shell.Env = append(shell.Env, "INPUTRC=/dev/null", "TERM=dumb")
	s.run(shell)
	s.expect("$ ")
	s.awaitRaw(true)
	s.enter("(sleep 1; export PSB_MINI='echo re''ady; read -r line; echo got $line'; exec $MINI) &\r")
	s.expect("ready\r\n")
	s.enter("fg\r")
	s.expect("MINI )\r\n")
	s.awaitRaw(true)
	s.enter("hello\r")
	s.expect("hello\r\ngot hello\r\n")
	s.enter("exit\r")
}

// shell is an interactive shell without line editing, so that its modes stay.
func (s *screen) shell() *exec.Cmd {
	self, err := os.Readlink("/proc/self/exe")
	if err != nil {
		s.t.Fatal(err)
	}
	command := exec.Command("bash", "--norc", "--noprofile", "--noediting", "-i")
	command.Env = append(os.Environ(), "PS1=$ ", "MINI="+self, "HISTFILE=")
	return command
}

// Where no shell could continue the job, ^Z does not freeze it.
func TestTerminalStopWithoutAShell(t *testing.T) {
	s := newScreen(t)
	command := miniCommand(`echo ready; read -r line; echo "got $line"`)
	s.run(command)
	s.expect("ready")
	s.awaitRaw(true)
	s.enter("\x1a")
	s.expect("^Z")
	s.awaitRaw(true)
	s.enter("hello\r")
	s.expect("got hello")
	if code := exitCode(t, command); code != 0 {
		t.Errorf("exit status %d", code)
	}
}
