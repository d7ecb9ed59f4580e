package host

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

func TestFindProgramTellsErrorsApart(t *testing.T) {
	dir := testenv.WorldDir(t)
	writeFile(t, filepath.Join(dir, "text"), "no program")
	if err := os.Mkdir(filepath.Join(dir, "directory"), 0o755); err != nil {
		t.Fatal(err)
	}
	copyFile(t, "/usr/bin/env", filepath.Join(dir, "tool"))
	link(t, "tool", filepath.Join(dir, "other"))
	link(t, "nowhere", filepath.Join(dir, "dangling"))
	caller := Caller{Directory: dir, Env: map[string]string{"PATH": "/nonexistent:" + dir + ":/usr/bin"}}
	for name, want := range map[string]error{
		"tool": nil, "other": nil, "./tool": nil, filepath.Join(dir, "tool"): nil, "env": nil,
		"text": ErrNotExecutable, "./text": ErrNotExecutable, "directory": ErrNotExecutable, "./directory": ErrNotExecutable,
		"missing": ErrNoProgram, "./missing": ErrNoProgram, "dangling": ErrNoProgram, "./tool/x": ErrNoProgram,
	} {
		path, err := FindProgram(name, caller)
		if !errors.Is(err, want) || (err == nil) != filepath.IsAbs(path) {
			t.Errorf("%s: %q (%v), want %v", name, path, err, want)
		}
	}
}

// TestClosureOfADirectoryHasWhatItsProgramsNeed names a directory that only its
// owner may enter.
func TestClosureOfADirectoryHasWhatItsProgramsNeed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tools")
	if err := os.MkdirAll(filepath.Join(dir, "bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	copyFile(t, "/usr/bin/env", filepath.Join(dir, "bin/tool"))
	closure, err := ProgramClosure([]string{dir}, testCaller())
	if err != nil {
		t.Fatal(err)
	}
	output, err := inside(t, closure, filepath.Join(dir, "bin/tool"), "x=1").CombinedOutput()
	if err != nil || string(output) == "" {
		t.Errorf("run the program: %v\n%s", err, output)
	}
	if shows(closure, filepath.Dir(dir)) || shows(closure, "/usr/bin/env") {
		t.Errorf("more is visible: %+v", closure.Binds)
	}
}

func TestScriptsNeedAnInterpreterThatExists(t *testing.T) {
	dir := testenv.WorldDir(t)
	for name, head := range map[string]string{
		"missing":  "#!/nonexistent/interpreter\n",
		"relative": "#!bin/sh\n",
		"empty":    "#!\n",
		"no tool":  "#!/usr/bin/env no-such-tool\n",
		"self":     "#!" + filepath.Join(dir, "self") + "\n",
	} {
		path := filepath.Join(dir, name)
		writeFile(t, path, head)
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
		if closure, err := ProgramClosure([]string{path}, testCaller()); err == nil {
			t.Errorf("%s: %+v", name, closure.Binds)
		}
	}
}

func TestProgramsRunInTheirClosure(t *testing.T) {
	script := filepath.Join(testenv.WorldDir(t), "greet")
	if err := os.WriteFile(script, []byte("#!/usr/bin/env -S perl -w\nprint \"hello $ARGV[0]\\n\";\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		entry string
		args  []string
		want  string
	}{
		{"git", []string{"-c", "init.defaultBranch=main", "init", "-q", "/tmp/x"}, ""},
		{"git", []string{"--exec-path"}, "/git-core"},
		{"perl", []string{"-MList::Util=sum", "-e", "print sum(1, 2)"}, "3"},
		{"/bin/sh", []string{"-c", "echo $((6*7))"}, "42"},
		{script, []string{"world"}, "hello world"},
	} {
		closure, err := ProgramClosure([]string{c.entry}, testCaller())
		if err != nil {
			t.Fatal(err)
		}
		path, err := FindProgram(c.entry, testCaller())
		if err != nil {
			t.Fatal(err)
		}
		output, err := inside(t, closure, path, c.args...).CombinedOutput()
		if err != nil || !strings.Contains(string(output), c.want) {
			t.Errorf("%s %v: %v\n%s", c.entry, c.args, err, output)
		}
		if slices.ContainsFunc(closure.Binds, func(b Bind) bool { return b.Path == "/usr/bin" || b.Path == "/usr/lib" }) {
			t.Errorf("%s: the closure has the system's directories", c.entry)
		}
	}
}

func TestSystemClosureRunsAnyProgram(t *testing.T) {
	closure := SystemClosure(testCaller())
	for _, name := range []string{"git", "perl", "python3"} {
		path, err := exec.LookPath("/usr/bin/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if output, err := inside(t, closure, path, "--version").CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, output)
		}
	}
	output, err := inside(t, closure, "/bin/ls", "/etc").CombinedOutput()
	if err != nil || strings.Contains(string(output), "shadow") || !strings.Contains(string(output), "alternatives") {
		t.Errorf("ls /etc: %v\n%s", err, output)
	}
}
