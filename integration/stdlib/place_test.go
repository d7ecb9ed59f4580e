package stdlib

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// patience bounds the run of one module, which takes seconds where the machine has
// nothing else to do. A module that needs it hangs.
const patience = 5 * time.Minute

// The outcomes that runner.py tells of.
const (
	started = "started"
	passes  = "ok"
)

// place is where modules run.
type place struct {
	name    string
	command func(ctx context.Context, tests []string) *exec.Cmd
}

// outcome is what became of one test.
type outcome struct {
	Test    string `json:"test"`
	Outcome string `json:"outcome"`
	Detail  string `json:"detail"`
}

// result is what became of a run.
type result struct {
	tests  map[string]outcome
	last   string // the test that was started last
	ended  bool   // after its last test
	err    error
	stderr string
}

// policy is that of a service, which may execute what it writes to /tmp: tests do.
const policy = "version = 1\nextends = \"worker\"\n[files]\ntmp_exec = true\n"

// bare runs modules as an ordinary user without a sandbox.
func bare(t *testing.T, python testenv.Python) *place {
	t.Helper()
	runner, uid := worldFile(t, "runner.py", ""), testenv.OrdinaryUser()
	home := homeOf(t, uid)
	return &place{"bare", func(ctx context.Context, tests []string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, python.Path, append([]string{runner}, tests...)...)
		cmd.Dir, cmd.Env = home, environment(home)
		return testenv.RunAs(t, uid, cmd)
	}}
}

// inside runs modules in sandboxes that a user starts.
func inside(t *testing.T, python testenv.Python, uid uint32) *place {
	t.Helper()
	name := "user"
	if uid == 0 {
		name = "root"
	}
	runner, rules, home := worldFile(t, "runner.py", ""), worldFile(t, "policy.toml", policy), homeOf(t, uid)
	binary := testenv.Binary(t)
	return &place{name, func(ctx context.Context, tests []string) *exec.Cmd {
		argv := []string{"exec", "--quiet", "--policy", rules, "--python", python.Path, "--cwd=/tmp", runner}
		cmd := exec.CommandContext(ctx, binary, append(argv, tests...)...)
		cmd.Dir, cmd.Env = home, environment(home)
		return testenv.RunAs(t, uid, cmd)
	}}
}

// environment is the same in every place.
func environment(home string) []string {
	return []string{
		"HOME=" + home, "TMPDIR=" + home, "PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8",
		"PYTHONDONTWRITEBYTECODE=1",
	}
}

// homeOf makes a directory that belongs to a user.
func homeOf(t *testing.T, uid uint32) string {
	t.Helper()
	home := testenv.WorldDir(t)
	if os.Getuid() == 0 {
		if err := os.Chown(home, int(uid), int(uid)); err != nil {
			t.Fatal(err)
		}
	}
	return home
}

// worldFile makes a file that every user can read, with the text or that of the file
// of its name in this package.
func worldFile(t *testing.T, name, text string) string {
	t.Helper()
	content := []byte(text)
	if text == "" {
		var err error
		if content, err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(testenv.WorldDir(t), name)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// run runs tests, by their names or that of a module.
func (p *place) run(ctx context.Context, tests []string) result {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := p.command(ctx, tests)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = time.Second // a test may leave a process that holds the pipes
	got := result{tests: make(map[string]outcome)}
	got.err = cmd.Run()
	got.stderr = stderr.String()
	for line := range strings.Lines(stdout.String()) {
		got.read(line)
	}
	return got
}

// read takes a line of runner.py's in; what tests print is left out. Of several
// outcomes of one test that counts which is not a pass.
func (r *result) read(line string) {
	line, ours := strings.CutPrefix(line, "\x1e")
	var o outcome
	if !ours || json.Unmarshal([]byte(line), &o) != nil {
		return
	}
	if o.Test == "" {
		r.ended = true
		return
	}
	if o.Outcome == started {
		r.last = o.Test
	}
	if before, there := r.tests[o.Test]; !there || before.Outcome == started || before.Outcome == passes {
		r.tests[o.Test] = o
	}
}

// passed are the tests that pass.
func (r *result) passed() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(r.tests)), func(test string) bool {
		return r.tests[test].Outcome != passes
	})
}
