package attacks

import (
	"cmp"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/testenv"
	"github.com/pysandbox/pysandbox/supervisor"
)

// attack is one program of the corpus and what to expect of it.
type attack struct {
	program string   // its name in corpus, without .py
	name    string   // of the test, if it is not the program's
	hows    []string // ways of the same attack, which the program is told
	python  bool     // about the interpreter: run on every CPython

	// set makes the scene of one run. The program's own words are the effect
	// if it is nil.
	set     func(*testing.T, account, string) *scene
	flags   []string // of pysandbox exec, beside those of the scene
	control control
	ends    []supervisor.Outcome // in the sandbox; exited if empty
	only    string               // the account for which the attack is refused; both if empty
	says    string               // a line that the program must print inside

	harmless bool // the calls succeed inside, where they lead nowhere

	// denied is what one violation of the report must match, as "operation
	// target errno". Nothing is expected if it is empty.
	denied string
}

// control is how an attack runs without the sandbox.
type control struct {
	root       bool    // with the rights of root
	namespaces uintptr // of its own, so that it harms nothing
	none       string  // why there is no control
}

func (c control) who() account {
	if c.root {
		return root()
	}
	return user()
}

// alone is a control by root that can touch neither processes, mounts nor
// networks but its own.
func alone() control {
	return control{root: true, namespaces: unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWIPC}
}

func withoutControl(why string) control { return control{none: why} }

// runAttacks runs every attack of a table as a subtest.
func runAttacks(t *testing.T, attacks []attack) {
	t.Helper()
	needWorld(t)
	dir := corpus(t)
	interpreters := []string{debianPython}
	if slices.ContainsFunc(attacks, func(a attack) bool { return a.python }) {
		for _, python := range testenv.Pythons(t) {
			if python.Path != debianPython {
				interpreters = append(interpreters, python.Path)
			}
		}
	}
	for _, a := range attacks {
		hows := a.hows
		if hows == nil {
			hows = []string{""}
		}
		for _, how := range hows {
			t.Run(strings.TrimSuffix(cmp.Or(a.name, a.program)+"/"+how, "/"), func(t *testing.T) {
				t.Parallel()
				a.run(t, interpreters, dir, how)
			})
		}
	}
}

func (a *attack) run(t *testing.T, interpreters []string, dir, how string) {
	program := filepath.Join(dir, a.program+".py")
	head := readHeader(t, a.program)
	if !a.python {
		interpreters = interpreters[:1]
	}
	for _, python := range interpreters {
		exists := true
		t.Run("control"+label(a.python, python), func(t *testing.T) { exists = a.runControl(t, python, program, how) })
		for _, who := range []account{root(), user()} {
			if a.only != "" && a.only != who.name {
				continue
			}
			t.Run(who.name+label(a.python, python), func(t *testing.T) {
				a.runInside(t, who, python, program, how, head, exists)
			})
		}
	}
}

// label names an interpreter in the name of a subtest.
func label(several bool, python string) string {
	if !several {
		return ""
	}
	return " " + filepath.Base(filepath.Dir(filepath.Dir(python)))
}

// runControl shows that the attack works without the sandbox. It reports whether
// this kernel has what is attacked.
func (a *attack) runControl(t *testing.T, python, program, how string) bool {
	if a.control.none != "" {
		t.Log("no control: " + a.control.none)
		return true
	}
	// A race may be lost on a busy machine; that it can be won is what counts.
	for end := time.Now().Add(patience()); ; {
		s := a.scene(t, a.control.who(), how)
		run := s.runBare(t, a.control, python, program)
		if why := regexp.MustCompile(`(?m)^absent (.*)$`).FindString(run.stdout); why != "" {
			t.Log("no control: " + why)
			return false
		}
		if s.happened(run) {
			return true
		}
		if time.Now().After(end) || run.status != 0 {
			t.Errorf("the attack has no effect even without a sandbox: status %d\n%s%s", run.status, run.stdout, run.stderr)
			return true
		}
	}
}

// runInside shows that the sandbox holds.
func (a *attack) runInside(t *testing.T, who account, python, program, how string, head header, exists bool) {
	s := a.scene(t, who, how)
	s.flags = append(s.flags, a.flags...)
	run := s.runSandboxed(t, who, python, program)
	if s.happened(run) {
		t.Errorf("the attack worked:\n%s%s", run.stdout, run.stderr)
	}
	ends := a.ends
	if ends == nil {
		ends = []supervisor.Outcome{supervisor.Exited}
	}
	if !slices.Contains(ends, run.report.Outcome) {
		t.Errorf("outcome %s, want one of %s\n%s%s", run.report.Outcome, ends, run.stdout, run.stderr)
	}
	if a.says != "" && !run.says(a.says) {
		t.Errorf("the program does not say %q:\n%s%s", a.says, run.stdout, run.stderr)
	}
	if a.ends == nil && run.status != 0 {
		t.Errorf("the attack itself failed with status %d:\n%s%s", run.status, run.stdout, run.stderr)
	}
	for _, match := range regexp.MustCompile(`(?m)^refused (.*)$`).FindAllStringSubmatch(run.stdout, -1) {
		if head.refused != nil && !slices.Contains(head.refused, match[1]) {
			t.Errorf("refused with %s, want one of %v", match[1], head.refused)
		}
	}
	if exists && !a.harmless && a.ends == nil && len(head.refused) > 0 && !strings.Contains(run.stdout, "refused ") {
		t.Errorf("nothing was refused:\n%s%s", run.stdout, run.stderr)
	}
	a.checkDenied(t, run)
}

func (a *attack) scene(t *testing.T, who account, how string) *scene {
	t.Helper()
	var s *scene
	if a.set != nil {
		s = a.set(t, who, how)
	} else {
		s = newScene(t, who)
	}
	s.target["how"] = how
	return s
}

func (a *attack) checkDenied(t *testing.T, run ended) {
	t.Helper()
	if a.denied == "" {
		return
	}
	pattern := regexp.MustCompile(a.denied)
	for _, v := range run.report.Violations {
		if pattern.MatchString(v.Operation + " " + v.Target + " " + v.Errno) {
			return
		}
	}
	t.Errorf("no violation matches %q: %+v", a.denied, run.report.Violations)
}
