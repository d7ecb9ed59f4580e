package host

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// inside returns a command that runs in a tree of nothing but the closure, with
// /proc, /dev and an empty /tmp. Of a directory that is bound for the sake of
// some files it has these and the symlinks, which is all that Landlock permits.
func inside(t *testing.T, c Closure, program string, args ...string) *exec.Cmd {
	t.Helper()
	testenv.Need(t, testenv.Bubblewrap, testenv.UserNS)
	options := []string{"--unshare-all", "--die-with-parent", "--clearenv", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"}
	for _, link := range c.Links {
		options = append(options, "--symlink", link.Target, link.Path)
	}
	for _, bind := range c.Binds {
		if len(bind.Only) == 0 {
			options = append(options, "--ro-bind", bind.Path, bind.Path)
			continue
		}
		for _, name := range bind.Only {
			path := filepath.Join(bind.Path, name)
			options = append(options, "--ro-bind", path, path)
		}
		options = append(options, symlinksBelow(t, bind)...)
	}
	options = append(options, "--chdir", "/", "--", program)
	return exec.Command("bwrap", append(options, args...)...)
}

// symlinksBelow returns the options that make the symlinks of a bound directory,
// but for those in a directory that is bound itself.
func symlinksBelow(t *testing.T, bind Bind) []string {
	t.Helper()
	var options []string
	err := filepath.WalkDir(bind.Path, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.ContainsFunc(bind.Only, func(name string) bool { return filepath.Join(bind.Path, name) == path }):
			return fs.SkipDir
		case entry.Type() == fs.ModeSymlink:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			options = append(options, "--symlink", target, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return options
}

// onHost returns the same command without any sandbox: what works here must work
// inside.
func onHost(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Env = []string{}
	cmd.Dir = "/"
	return cmd
}

// answers runs a script that prints a JSON object and returns it.
func answers(t *testing.T, cmd *exec.Cmd) map[string]any {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("run %v: %v\n%s", cmd.Args[len(cmd.Args)-4:], err, stderr.String())
	}
	var got map[string]any
	if err := json.Unmarshal(stdout.Bytes(), &got); err != nil {
		t.Fatalf("read the answer: %v\n%s\n%s", err, stdout.String(), stderr.String())
	}
	return got
}

// everyPython lists the interpreters of this machine.
func everyPython(t *testing.T) []string {
	t.Helper()
	var paths []string
	for _, python := range testenv.Pythons(t) {
		paths = append(paths, python.Path)
	}
	return paths
}

func mustFind(t *testing.T, request string) Interpreter {
	t.Helper()
	python, err := FindInterpreter(request, testCaller())
	if err != nil {
		t.Fatal(err)
	}
	return python
}

// TestClosureIsComplete runs a script that imports and uses all that depends on
// files, on the host and inside nothing but the closure. The answers are equal.
func TestClosureIsComplete(t *testing.T) {
	for _, path := range everyPython(t) {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			compareAnswers(t, mustFind(t, path))
		})
	}
}

// TestSeparateFilesAreComplete does the same without whole library directories.
func TestSeparateFilesAreComplete(t *testing.T) {
	testenv.Need(t, testenv.DebianPython)
	grouped := mustFind(t, "/usr/bin/python3")
	tree := newTree()
	s, err := examine(tree, "/usr/bin/python3", testCaller())
	if err != nil {
		t.Fatal(err)
	}
	python, _, err := buildInterpreter(tree, s, testCaller())
	if err != nil {
		t.Fatal(err)
	}
	if len(python.Binds) <= len(grouped.Binds) {
		t.Errorf("%d binds for separate files, %d for grouped ones", len(python.Binds), len(grouped.Binds))
	}
	compareAnswers(t, python)
}

// TestAnswersDependOnTheClosure takes one library away: the comparison sees it.
func TestAnswersDependOnTheClosure(t *testing.T) {
	testenv.Need(t, testenv.DebianPython)
	tree := newTree()
	s, err := examine(tree, "/usr/bin/python3", testCaller())
	if err != nil {
		t.Fatal(err)
	}
	python, _, err := buildInterpreter(tree, s, testCaller())
	if err != nil {
		t.Fatal(err)
	}
	python.Binds = slices.DeleteFunc(python.Binds, func(b Bind) bool { return strings.Contains(b.Path, "/libssl.so") })
	const script = `import json
try:
    import ssl
except ImportError as error:
    print(json.dumps({"error": str(error)}))
else:
    print(json.dumps({}))
`
	if got := answers(t, inside(t, python.Closure, python.Executable, "-I", "-c", script)); got["error"] == nil {
		t.Error("ssl was imported without its library")
	}
	if got := answers(t, onHost(python.Executable, "-I", "-c", script)); got["error"] != nil {
		t.Errorf("on the host: %v", got)
	}
}

func TestVirtualEnvironmentClosureIsComplete(t *testing.T) {
	for _, path := range everyPython(t) {
		for _, option := range []string{"--without-pip", "--copies", "--system-site-packages"} {
			t.Run(path+option, func(t *testing.T) {
				t.Parallel()
				dir := filepath.Join(t.TempDir(), "venv")
				if output, err := exec.Command(path, "-I", "-m", "venv", "--without-pip", option, dir).CombinedOutput(); err != nil {
					t.Fatalf("make the environment: %v\n%s", err, output)
				}
				python := mustFind(t, dir)
				if python.Venv != dir || python.Executable != filepath.Join(dir, "bin/python") {
					t.Errorf("venv %q, executable %q", python.Venv, python.Executable)
				}
				compareAnswers(t, python)
			})
		}
	}
}

func compareAnswers(t *testing.T, python Interpreter) {
	t.Helper()
	script, err := os.ReadFile("testdata/everything.py")
	if err != nil {
		t.Fatal(err)
	}
	want := answers(t, onHost(python.Executable, "-I", "-c", string(script)))
	got := answers(t, inside(t, python.Closure, python.Executable, "-I", "-c", string(script)))
	if len(want) < 10 {
		t.Fatalf("only %d questions were answered", len(want))
	}
	for question, answer := range want {
		w, _ := json.Marshal(answer)
		g, _ := json.Marshal(got[question])
		if !bytes.Equal(w, g) {
			t.Errorf("%s: on the host %s, inside %s", question, w, g)
		}
	}
}

// lookAround lists the programs below the directories that are its arguments, but
// for those of packages, and which of some private or needless paths exist.
const lookAround = `import json, os, sys
seen = {}
for top in sys.argv[1:]:
    for where, dirs, files in os.walk(top):
        dirs[:] = [name for name in dirs if name not in ("site-packages", "dist-packages")]
        if os.path.basename(where) == "bin":
            seen.update((os.path.join(where, name), 1) for name in files)
for path in ("/etc/passwd", "/etc/shadow", "/etc/ssl/private", "/usr/include", "/usr/share/doc", "/var", "/opt"):
    if os.path.exists(path):
        seen[path] = 1
print(json.dumps(seen))
`

func TestClosureShowsNothingElse(t *testing.T) {
	for _, path := range everyPython(t) {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			python := mustFind(t, path)
			tops := []string{"/bin", "/usr", "/etc", "/home", "/root", "/var", "/opt", python.Prefix}
			seen := answers(t, inside(t, python.Closure, python.Executable, append([]string{"-I", "-S", "-c", lookAround}, tops...)...))
			for file := range seen {
				if !strings.HasPrefix(filepath.Base(file), "python") {
					t.Errorf("%s is visible", file)
				}
			}
			if len(seen) == 0 {
				t.Error("not even the interpreter is visible")
			}
		})
	}
	// The same script finds much on the host.
	python := testenv.Pythons(t)[0].Path
	if seen := answers(t, onHost(python, "-I", "-S", "-c", lookAround, "/usr/bin")); len(seen) < 100 {
		t.Errorf("on the host it sees %d files", len(seen))
	}
}
