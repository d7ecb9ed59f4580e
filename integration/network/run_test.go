package network

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pysandbox/pysandbox/integration/world"
	"github.com/pysandbox/pysandbox/internal/testenv"
	"github.com/pysandbox/pysandbox/supervisor"
)

const debianPython = "/usr/bin/python3"

// patience bounds one run. A run that needs it has failed.
const patience = 120 * time.Second

// account is who runs pysandbox or the control.
type account struct {
	name string
	uid  uint32
}

func root() account { return account{"root", 0} }
func user() account { return account{"user", testenv.Nobody} }

// scene is a program of the directory programs and what to expect of it.
type scene struct {
	program string   // without .py
	args    []string // of the program
	flags   []string // of pysandbox exec
	env     []string // NAME=VALUE, of both

	// want is what the program prints, and inside what it prints in the
	// sandbox where that differs. noControl says why it does not run bare.
	want, inside, noControl string

	// denied are the violations, each "operation target rule errno" or without an
	// errno, sorted; a word in it may be a regular expression. hint must be that of
	// one of them.
	denied []string
	hint   string
}

// ended is a run that is over.
type ended struct {
	stdout, stderr string
	status         int
	report         *supervisor.Report // nil for a control
}

// run runs the scene bare and in the sandbox as both accounts.
func (s scene) run(t *testing.T) {
	t.Helper()
	needWorld(t)
	dir := programs(t)
	if s.noControl == "" {
		t.Run("bare", func(t *testing.T) { checkOutput(t, s.bare(t, dir), s.want) })
	}
	for _, who := range []account{root(), user()} {
		t.Run(who.name, func(t *testing.T) {
			run := s.sandboxed(t, who, dir)
			want := s.inside
			if want == "" {
				want = s.want
			}
			checkOutput(t, run, want)
			s.checkViolations(t, run)
		})
	}
}

// runLikeBare runs the scene like run, and wants what the program prints bare.
func (s scene) runLikeBare(t *testing.T) {
	t.Helper()
	needWorld(t)
	control := s.bare(t, programs(t))
	if control.status != 0 || control.stdout == "" {
		t.Fatalf("the control ended with status %d\n%s%s", control.status, control.stdout, control.stderr)
	}
	t.Logf("the control printed\n%s", control.stdout)
	s.want = regexp.QuoteMeta(strings.TrimSpace(control.stdout))
	s.noControl = "it was"
	s.run(t)
}

// fails runs the scene in the sandbox, where the program must end with an
// exception that matches.
func (s scene) fails(t *testing.T, exception string) {
	t.Helper()
	needWorld(t)
	dir := programs(t)
	for _, who := range []account{root(), user()} {
		run := s.sandboxed(t, who, dir)
		if run.status != 1 || !regexp.MustCompile("(?m)"+exception+"$").MatchString(run.stderr) {
			t.Errorf("%s: status %d, want an exception that matches %q\n%s", who.name, run.status, exception, run.stderr)
		}
	}
}

func checkOutput(t *testing.T, run ended, want string) {
	t.Helper()
	want = strings.TrimSpace(want)
	got := strings.TrimSpace(run.stdout)
	if matched, err := regexp.MatchString("^(?:"+want+")$", got); got != want && (err != nil || !matched) {
		t.Errorf("it printed\n%s\nwant\n%s\nstandard error:\n%s", got, want, run.stderr)
	}
	if run.status != 0 {
		t.Errorf("status %d\n%s", run.status, run.stderr)
	}
}

func (s scene) checkViolations(t *testing.T, run ended) {
	t.Helper()
	var got []string
	hinted := s.hint == ""
	for _, v := range run.report.Violations {
		got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", v.Operation, v.Target, v.Rule, v.Errno)))
		hinted = hinted || v.Hint == s.hint
	}
	slices.Sort(got)
	same := len(got) == len(s.denied)
	for i := 0; same && i < len(got); i++ {
		same = regexp.MustCompile("^" + s.denied[i] + "$").MatchString(got[i])
	}
	if !same {
		t.Errorf("violations\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(s.denied, "\n"))
	}
	if !hinted {
		t.Errorf("no violation has the hint %q: %+v", s.hint, run.report.Violations)
	}
}

// programs is a copy of the programs that every user can read.
func programs(t *testing.T) string {
	t.Helper()
	dir := testenv.WorldDir(t)
	if err := os.CopyFS(dir, os.DirFS("programs")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func (s scene) words(dir string) []string {
	return append([]string{filepath.Join(dir, s.program+".py")}, s.args...)
}

// bare runs the program without a sandbox, as an ordinary user.
func (s scene) bare(t *testing.T, dir string) ended {
	t.Helper()
	return execute(t, user(), s.env, exec.Command(debianPython, s.words(dir)...))
}

// sandboxed runs the program in the sandbox.
func (s scene) sandboxed(t *testing.T, who account, dir string) ended {
	t.Helper()
	cmd, file := s.command(t, who, dir)
	run := execute(t, who, s.env, cmd)
	run.report = readReport(t, file, run)
	return run
}

// command is the command that runs the program in the sandbox, and the file of
// its report.
func (s scene) command(t *testing.T, who account, dir string) (cmd *exec.Cmd, report string) {
	t.Helper()
	reports := testenv.WorldDir(t)
	if err := os.Chown(reports, int(who.uid), int(who.uid)); err != nil {
		t.Fatal(err)
	}
	report = filepath.Join(reports, "report.json")
	args := []string{"exec", "--python=" + debianPython, "--report=" + report, "--allow-read=" + dir, "--timeout=100s"}
	for _, variable := range s.env {
		args = append(args, "--env="+variable)
	}
	args = append(append(args, s.flags...), s.words(dir)...)
	return exec.Command(testenv.Binary(t), args...), report
}

func execute(t *testing.T, who account, env []string, cmd *exec.Cmd) ended {
	t.Helper()
	return start(t, who, env, cmd)()
}

// start starts a command; what it returns waits for its end.
func start(t *testing.T, who account, env []string, cmd *exec.Cmd) (wait func() ended) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.Dir = "/"
	cmd.Env = append([]string{"PATH=/usr/bin:/bin:/usr/sbin", "HOME=/nonexistent", "LANG=C.UTF-8", "PYTHONDONTWRITEBYTECODE=1"}, env...)
	cmd.WaitDelay = patience / 2
	testenv.RunAs(t, who.uid, cmd)
	end := world.Start(t, cmd, patience)
	return func() ended {
		status := end()
		return ended{stdout: stdout.String(), stderr: stderr.String(), status: status}
	}
}

// readReport reads the report of a program that nothing ends but itself.
func readReport(t *testing.T, file string, run ended) *supervisor.Report {
	t.Helper()
	report := world.ReadReport(t, file, run.stderr)
	switch report.Outcome {
	case supervisor.Violated, supervisor.TimedOut, supervisor.LimitHit:
		t.Errorf("the report says %s: %s\n%s", report.Outcome, report.Reason, run.stderr)
	default:
	}
	return report
}
