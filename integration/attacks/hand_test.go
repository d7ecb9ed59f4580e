package attacks

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// TestKilledSupervisor kills the supervisor in the midst of the guest's calls.
func TestKilledSupervisor(t *testing.T) {
	needWorld(t)
	program := filepath.Join(corpus(t), "supervisor_death.py")
	t.Run("control", func(t *testing.T) {
		delay := atWork // the threads of a busy machine begin later
		for end := time.Now().Add(patience()); time.Now().Before(end); delay *= 2 {
			s := canaryOutside(t, user(), "")
			killWhenReady(t, s, exec.Command(debianPython, s.words(t, program)...), user(), delay)
			if s.happened(ended{}) {
				return
			}
		}
		t.Error("the attack has no effect even without a sandbox")
	})
	for _, who := range []account{root(), user()} {
		t.Run(who.name, func(t *testing.T) {
			for range 5 {
				s := canaryOutside(t, who, "")
				args := append([]string{"exec", "--quiet", "--python=" + debianPython}, s.words(t, program)...)
				killWhenReady(t, s, exec.Command(testenv.Binary(t), args...), who, atWork)
				awaitNothingLeft(t, s.dir)
				if s.happened(ended{}) {
					t.Error("the attack worked")
				}
			}
		})
	}
}

// atWork is how long after its word the threads of supervisor_death.py may be at work.
const atWork = 30 * time.Millisecond

// killWhenReady kills a process some time after its program has said "ready".
func killWhenReady(t *testing.T, s *scene, cmd *exec.Cmd, who account, delay time.Duration) {
	t.Helper()
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Dir = s.dir
	cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=/nonexistent"}
	if err := testenv.RunAs(t, who.uid, cmd).Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := output.Read(make([]byte, 16)); err != nil {
		t.Errorf("the program did not start: %v", err)
	}
	time.Sleep(delay)
	if err := cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait()
}

// TestTyping looks for input in the terminal that pysandbox was started on.
func TestTyping(t *testing.T) {
	needWorld(t)
	program := filepath.Join(corpus(t), "tty_inject.py")
	t.Run("control", func(t *testing.T) {
		if legacy, err := os.ReadFile("/proc/sys/dev/tty/legacy_tiocsti"); err == nil && string(legacy) != "1\n" {
			t.Log("no control: dev.tty.legacy_tiocsti is off")
			return
		}
		if typed := typedBy(t, exec.Command(debianPython, program), root()); !strings.Contains(typed, "touch owned") {
			t.Errorf("the attack has no effect even without a sandbox: %q", typed)
		}
	})
	for _, who := range []account{root(), user()} {
		t.Run(who.name, func(t *testing.T) {
			cmd := exec.Command(testenv.Binary(t), "exec", "--python="+debianPython, program)
			if typed := typedBy(t, cmd, who); typed != "" {
				t.Errorf("the terminal has %q as input", typed)
			}
		})
	}
}

// typedBy runs a command on a terminal of its own and returns what is left as
// input there.
func typedBy(t *testing.T, cmd *exec.Cmd, who account) string {
	t.Helper()
	master, terminal, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	defer terminal.Close()
	if err := os.Chown(terminal.Name(), int(who.uid), -1); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = bytes.NewBuffer(nil).ReadFrom(master) }()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, terminal, terminal
	cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=/nonexistent"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := testenv.RunAs(t, who.uid, cmd).Run(); err != nil {
		t.Errorf("%v", err)
	}
	fd, err := unix.Open(terminal.Name(), unix.O_RDWR|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	buf := make([]byte, 256)
	n, _ := unix.Read(fd, buf)
	return string(buf[:max(n, 0)])
}

// TestReportIsNotWrittenThroughLinks has a guest that leaves a symbolic link
// where the next run's report goes.
func TestReportIsNotWrittenThroughLinks(t *testing.T) {
	needWorld(t)
	for _, flag := range []string{"--report=", "--audit="} {
		for _, who := range []account{root(), user()} {
			t.Run(who.name+" "+strings.Trim(flag, "-="), func(t *testing.T) {
				s := directory("--allow-write=")(t, who, "")
				out := s.target["visible"].(string)
				precious := filepath.Join(testenv.WorldDir(t), "precious")
				token := writeSecret(t, precious, 0o644)
				own(t, filepath.Dir(precious), who)
				own(t, precious, account{owner: who.uid})
				link := filepath.Join(out, "report.json")
				checkThatLinksLead(t, who)
				runOnce(t, who, "exec", "--python="+debianPython, s.flags[0], "-c", "import os; os.symlink("+strconv.Quote(precious)+","+strconv.Quote(link)+")")
				if target, err := os.Readlink(link); err != nil || target != precious {
					t.Fatalf("the guest left no link: %v", err)
				}
				if who.uid == 0 { // an ordinary user only harms itself
					runOnce(t, who, "exec", "--python="+debianPython, flag+link, "-c", "pass")
				}
				runOnce(t, who, "exec", "--python="+debianPython, s.flags[0], flag+link, "-c", "pass")
				if text, err := os.ReadFile(precious); err != nil || string(text) != token+"\n" {
					t.Errorf("the file has %q", text)
				}
			})
		}
	}
}

// checkThatLinksLead is the control: a shell writes through such a link.
func checkThatLinksLead(t *testing.T, who account) {
	t.Helper()
	dir := markedDir(t)
	if err := os.Symlink(filepath.Join(dir, "precious"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := testenv.RunAs(t, who.uid, exec.Command("/bin/sh", "-c", "echo written > "+dir+"/link")).Run(); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "precious")); err != nil || string(text) != "written\n" {
		t.Errorf("control: the file has %q", text)
	}
}

// runOnce runs pysandbox, however it ends.
func runOnce(t *testing.T, who account, args ...string) string {
	t.Helper()
	cmd := exec.Command(testenv.Binary(t), args...)
	cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=/nonexistent"}
	cmd.Dir = "/"
	output, err := testenv.RunAs(t, who.uid, cmd).CombinedOutput()
	if err != nil {
		t.Logf("%v: %v\n%s", args, err, output)
	}
	return string(output)
}

// TestNobodyIsRoot looks at two sandboxes of root's from outside: none of their
// processes is root's, nor is the supervisor, and they are of two users.
func TestNobodyIsRoot(t *testing.T) {
	needWorld(t)
	owners := make(map[string]bool)
	for range 2 {
		s := newScene(t, root())
		cmd := exec.Command(testenv.Binary(t), "exec", "--quiet", "--python="+debianPython, "-c",
			"import time; print('ready', flush=True); time.sleep(600) #"+s.dir)
		output, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
		if _, err := output.Read(make([]byte, 16)); err != nil {
			t.Fatal(err)
		}
		for owner := range ownersOf(t, s.dir) {
			if owners[owner] {
				t.Errorf("two sandboxes are of uid %s", owner)
			}
			owners[owner] = true
			if uid, err := strconv.Atoi(owner); err != nil || uid < 1879048192 {
				t.Errorf("a process of the sandbox has uid %s", owner)
			}
		}
	}
	if len(owners) != 2 {
		t.Errorf("two sandboxes have the users %v", owners)
	}
}

// ownersOf returns every uid, of all four kinds, of processes with the marker.
func ownersOf(t *testing.T, marker string) map[string]bool {
	t.Helper()
	owners := make(map[string]bool)
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		line, err := os.ReadFile(file)
		if err != nil || !bytes.Contains(line, []byte(marker)) {
			continue
		}
		status, err := os.ReadFile(filepath.Join(filepath.Dir(file), "status"))
		if err != nil {
			t.Fatal(err)
		}
		for uid := range strings.FieldsSeq(string(regexp.MustCompile(`(?m)^Uid:(.*)$`).FindSubmatch(status)[1])) {
			owners[uid] = true
		}
	}
	return owners
}

// TestVariablesWidenNothing sets every variable that might be read as a policy.
func TestVariablesWidenNothing(t *testing.T) {
	runAttacks(t, variables())
}

func variables() []attack {
	return []attack{{program: "tcp_address", name: "variables", set: func(t *testing.T, who account, how string) *scene {
		t.Helper()
		s := canaryOutside(t, who, how)
		s.prepare = func(cmd *exec.Cmd) {
			for _, name := range []string{"ALLOW_NET", "NETWORK_ALLOW", "NETWORK", "ALLOW_READ", "FLAGS", "OPTIONS"} {
				cmd.Env = append(cmd.Env, fmt.Sprintf("PYSANDBOX_%s=tcp://%s:%d", name, outside, s.target["port"]))
			}
		}
		return s
	}}}
}
