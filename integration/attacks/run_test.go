package attacks

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pysandbox/pysandbox/integration/world"
	"github.com/pysandbox/pysandbox/internal/testenv"
	"github.com/pysandbox/pysandbox/supervisor"
)

const debianPython = "/usr/bin/python3"

// patience bounds one run. A run that needs it has failed.
func patience() time.Duration {
	if *long {
		return time.Hour
	}
	return 150 * time.Second
}

// account is who runs pysandbox or the control.
type account struct {
	name  string
	uid   uint32
	owner uint32 // whose files a sandbox of this account may write
}

func root() account { return account{"root", 0, 1234} }
func user() account { return account{"user", testenv.Nobody, testenv.Nobody} }

// scene is what one run of an attack is given, and how its effect is seen.
type scene struct {
	dir      string           // of the run's files, which the account owns
	target   map[string]any   // what the program is told
	flags    []string         // of pysandbox exec
	prepare  func(*exec.Cmd)  // standard files, environment, descriptors
	during   func()           // what happens outside once the program says it is ready
	happened func(ended) bool // whether the effect is there

	sandboxed bool // set when the run is not the control
}

// ended is a run that is over.
type ended struct {
	stdout, stderr string
	status         int
	report         *supervisor.Report // nil for a control
}

// says reports whether the program printed the line.
func (e ended) says(line string) bool {
	return slices.Contains(strings.Split(e.stdout, "\n"), line)
}

// newScene makes the directory of a run.
func newScene(t *testing.T, who account) *scene {
	t.Helper()
	dir := testenv.WorldDir(t)
	own(t, dir, who)
	return &scene{dir: dir, target: map[string]any{}, happened: saidEffect}
}

// saidEffect is the effect that only the program can see, having read it back
// from the kernel.
func saidEffect(run ended) bool {
	return regexp.MustCompile(`(?m)^EFFECT`).MatchString(run.stdout)
}

// own gives a file to the account whose files a sandbox may write.
func own(t *testing.T, path string, who account) {
	t.Helper()
	if err := os.Lchown(path, int(who.owner), int(who.owner)); err != nil {
		t.Fatal(err)
	}
}

// corpus is a copy of the programs that every user can read. Each has the kit in
// its own file, so that a policy need not make anything visible.
func corpus(t *testing.T) string {
	t.Helper()
	dir := testenv.WorldDir(t)
	kit, err := os.ReadFile("corpus/kit.py")
	if err != nil {
		t.Fatal(err)
	}
	prelude := "import sys\nkit = sys.modules['kit'] = type(sys)('kit')\n" +
		"exec(compile(" + strconv.QuoteToASCII(string(kit)) + ", 'kit.py', 'exec'), kit.__dict__)\n"
	programs, err := filepath.Glob("corpus/*.py")
	if err != nil {
		t.Fatal(err)
	}
	for _, program := range programs {
		text, err := os.ReadFile(program)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, filepath.Base(program)), append([]byte(prelude), text...), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// words is the command line of the program: it is told its target in JSON.
func (s *scene) words(t *testing.T, program string) []string {
	t.Helper()
	told, err := json.Marshal(s.target)
	if err != nil {
		t.Fatal(err)
	}
	return []string{program, string(told)}
}

// runBare runs a program without a sandbox.
func (s *scene) runBare(t *testing.T, c control, python, program string) ended {
	t.Helper()
	who := c.who()
	cmd := exec.Command(python, s.words(t, program)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: c.namespaces}
	return s.run(t, who, cmd)
}

// runSandboxed runs a program in the sandbox and checks what must hold for every
// run: one report, which agrees with the exit status, and nothing left behind.
func (s *scene) runSandboxed(t *testing.T, who account, python, program string) ended {
	t.Helper()
	reports := testenv.WorldDir(t)
	if err := os.Chown(reports, int(who.uid), int(who.uid)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(reports, "report.json")
	args := []string{"exec", "--python=" + python, "--report=" + file}
	if !slices.ContainsFunc(s.flags, func(f string) bool { return strings.HasPrefix(f, "--timeout") }) {
		args = append(args, "--timeout="+(patience()*4/5).String())
	}
	args = append(append(args, s.flags...), s.words(t, program)...)
	s.sandboxed = true
	run := s.run(t, who, exec.Command(testenv.Binary(t), args...))
	run.report = readReport(t, file, run)
	awaitNothingLeft(t, s.dir)
	return run
}

func (s *scene) run(t *testing.T, who account, cmd *exec.Cmd) ended {
	t.Helper()
	var stdout, stderr watched
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.Dir = s.dir
	home := s.dir
	if s.sandboxed {
		home = "/nonexistent" // a cache of interpreters there could be in the way
	}
	cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + home, "LANG=C.UTF-8", "PYTHONDONTWRITEBYTECODE=1"}
	cmd.WaitDelay = patience() / 3
	s.target["marker"] = s.dir
	if s.prepare != nil {
		s.prepare(cmd)
	}
	if s.during != nil {
		input, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		stdout.onReady(func() {
			s.during()
			_ = input.Close()
		})
	}
	testenv.RunAs(t, who.uid, cmd)
	status := world.Run(t, cmd, patience())
	return ended{stdout: stdout.String(), stderr: stderr.String(), status: status}
}

// watched collects output and notices the line "ready".
type watched struct {
	text  bytes.Buffer
	ready func()
}

func (w *watched) String() string { return w.text.String() }

func (w *watched) onReady(call func()) { w.ready = sync.OnceFunc(call) }

func (w *watched) Write(data []byte) (int, error) {
	n, err := w.text.Write(data)
	if w.ready != nil && bytes.Contains(w.text.Bytes(), []byte("ready\n")) {
		w.ready()
	}
	return n, err
}

// readReport reads the report and compares it with what was seen.
func readReport(t *testing.T, file string, run ended) *supervisor.Report {
	t.Helper()
	report := world.ReadReport(t, file, run.stderr)
	if report.ExitCode != run.status {
		t.Errorf("the report says exit code %d, pysandbox ended with %d", report.ExitCode, run.status)
	}
	abi, err := testenv.LandlockABI()
	if err != nil {
		t.Fatal(err)
	}
	want := supervisor.Layers{UserNS: true, NetNS: true, Landlock: abi, Seccomp: true, Notify: true}
	got := report.Layers
	got.Cgroup = ""
	if got != want || report.Tier != "full" {
		t.Errorf("the report claims tier %s and layers %+v", report.Tier, report.Layers)
	}
	return report
}

// awaitNothingLeft waits until no process has the marker on its command line: the
// supervisor, its stage, or the program. The kernel may still be at it when the
// supervisor has ended.
func awaitNothingLeft(t *testing.T, marker string) {
	t.Helper()
	deadline := time.Now().Add(patience() / 3)
	for {
		left := processesWith(t, marker)
		switch {
		case len(left) == 0:
			return
		case time.Now().After(deadline):
			t.Errorf("left behind: %q", left)
			return
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func processesWith(t *testing.T, marker string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, file := range files {
		line, err := os.ReadFile(file) // fails for a process that has just ended
		if err == nil && bytes.Contains(line, []byte(marker)) {
			found = append(found, string(line))
		}
	}
	return found
}
