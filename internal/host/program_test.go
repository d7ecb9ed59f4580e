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

// TestOriginIsThatOfTheNameThatIsLoaded has a library that is loaded by a symlink in
// another directory, as Debian's alternatives have OpenBLAS, and looks for one that lies
// in both beside itself ($ORIGIN).
func TestOriginIsThatOfTheNameThatIsLoaded(t *testing.T) {
	base := testenv.WorldDir(t)
	files, names := filepath.Join(base, "real"), filepath.Join(base, "names")
	for _, dir := range []string{files, names} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		compileLibrary(t, filepath.Join(dir, "libsecond.so"), "-Wl,-soname,libsecond.so")
	}
	compileLibrary(t, filepath.Join(files, "libfirst.so"), "-Wl,-soname,libfirst.so", "-Wl,--enable-new-dtags",
		"-Wl,-rpath,$ORIGIN", "-Wl,--no-as-needed", "-L"+files, "-lsecond")
	link(t, filepath.Join(files, "libfirst.so"), filepath.Join(names, "libfirst.so"))
	source, program := filepath.Join(base, "main.c"), filepath.Join(base, "main")
	writeFile(t, source, "int main(void) { return 0; }\n")
	args := []string{"-o", program, source, "-Wl,-rpath," + names, "-Wl,--no-as-needed", "-L" + names, "-lfirst"}
	if output, err := exec.Command("cc", args...).CombinedOutput(); err != nil {
		t.Fatalf("cc %v: %v\n%s", args, err, output)
	}
	closure, err := ProgramClosure([]string{program}, testCaller())
	if err != nil {
		t.Fatal(err)
	}
	if output, err := inside(t, closure, program).CombinedOutput(); err != nil {
		t.Errorf("run the program: %v\n%s", err, output)
	}
	if shows(closure, filepath.Join(files, "libsecond.so")) {
		t.Errorf("what the loader does not look for is visible: %+v", closure.Binds)
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

// TestScriptsOfAVirtualEnvironmentKeepIt starts what pip installs in bin, in a
// directory that only its owner may enter, by its path and by a link elsewhere. A
// script elsewhere that names the same interpreter opens nothing of it.
func TestScriptsOfAVirtualEnvironmentKeepIt(t *testing.T) {
	testenv.Need(t, testenv.DebianPython)
	dir := t.TempDir()
	env := filepath.Join(dir, "env")
	if output, err := exec.Command("/usr/bin/python3", "-m", "venv", "--without-pip", env).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	if err := os.Chmod(env, 0o700); err != nil {
		t.Fatal(err)
	}
	const program = "\nimport json, sys\nprint(sys.prefix, end='')\n"
	tool, planted := filepath.Join(env, "bin/tool"), filepath.Join(testenv.WorldDir(t), "tool")
	for _, script := range []string{tool, planted} {
		writeFile(t, script, "#!"+filepath.Join(env, "bin/python")+program)
		if err := os.Chmod(script, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	link(t, "env/bin/tool", filepath.Join(dir, "link"))
	for _, name := range []string{tool, filepath.Join(dir, "link")} {
		closure, err := ProgramClosure([]string{name}, testCaller())
		if err != nil {
			t.Fatal(err)
		}
		if output, err := inside(t, closure, name).CombinedOutput(); err != nil || string(output) != env {
			t.Errorf("%s: its prefix is %q, not %q (%v)", name, output, env, err)
		}
	}
	if closure, err := ProgramClosure([]string{planted}, testCaller()); err == nil && shows(closure, env+"/lib") {
		t.Errorf("a script elsewhere shows the environment: %+v", closure.Binds)
	}
}

// TestAShimStandsForItsProgram looks names up through pyenv's shims, by PATH, by
// path and from the first line of a script.
func TestAShimStandsForItsProgram(t *testing.T) {
	root := testenv.WorldDir(t)
	for _, name := range []string{"shims", "versions/1.0/bin"} {
		if err := os.MkdirAll(filepath.Join(root, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	writeFile(t, filepath.Join(root, "version"), "1.0\n")
	for _, name := range []string{"tool", "gone"} {
		copyFile(t, "/usr/bin/env", filepath.Join(root, "shims", name))
	}
	real := filepath.Join(root, "versions/1.0/bin/tool")
	copyFile(t, "/usr/bin/env", real)
	caller := Caller{Directory: root, Env: map[string]string{"PATH": filepath.Join(root, "shims")}}
	for _, name := range []string{"tool", "shims/tool", filepath.Join(root, "shims/tool")} {
		if path, err := FindProgram(name, caller); path != real {
			t.Errorf("%s is %q (%v), not %s", name, path, err, real)
		}
	}
	if path, err := FindProgram("gone", caller); !errors.Is(err, ErrNoProgram) {
		t.Errorf("a program that the version lacks is %q (%v)", path, err)
	}
	script := filepath.Join(root, "script")
	writeFile(t, script, "#!/usr/bin/env tool\n")
	if err := os.Chmod(script, 0o755); err != nil {
		t.Fatal(err)
	}
	closure, err := ProgramClosure([]string{script}, caller)
	if err != nil || !shows(closure, real) || shows(closure, filepath.Join(root, "shims/tool")) {
		t.Errorf("the script shows %+v (%v)", closure.Binds, err)
	}
}

// TestAScriptMayNameTheCallersInterpreter has a private interpreter and private
// environments of it. A script elsewhere opens the interpreter where the caller's
// python3 is the same, and an environment only where every user may read that.
func TestAScriptMayNameTheCallersInterpreter(t *testing.T) {
	prefix := filepath.Join(t.TempDir(), "private")
	fakePrefix(t, prefix, "python3.12")
	private, public := filepath.Join(t.TempDir(), "secret"), filepath.Join(testenv.WorldDir(t), "open")
	for _, env := range []string{private, public} {
		for _, dir := range []string{"bin", "lib/python3.12/site-packages/package"} {
			if err := os.MkdirAll(filepath.Join(env, dir), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		writeFile(t, filepath.Join(env, "pyvenv.cfg"), "home = "+prefix+"/bin\nversion = 3.12.1\n")
		writeFile(t, filepath.Join(env, "lib/python3.12/site-packages/package/__init__.py"), "")
		link(t, filepath.Join(prefix, "bin/python3.12"), filepath.Join(env, "bin/python3"))
	}
	for _, dir := range []string{prefix, private} {
		if err := os.Chmod(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		interpreter, path string
		fits              bool
	}{
		{prefix + "/bin/python3", prefix + "/bin", true},
		{prefix + "/bin/python3", "/usr/bin", false},
		{public + "/bin/python3", prefix + "/bin", true},
		{public + "/bin/python3", "/usr/bin", false},
		{private + "/bin/python3", prefix + "/bin", false},
	} {
		script := filepath.Join(testenv.WorldDir(t), "script")
		writeFile(t, script, "#!"+test.interpreter+"\n")
		if err := os.Chmod(script, 0o755); err != nil {
			t.Fatal(err)
		}
		caller := Caller{UID: os.Geteuid(), Directory: "/", Env: map[string]string{"PATH": test.path}}
		closure, err := ProgramClosure([]string{script}, caller)
		if (err == nil) != test.fits {
			t.Errorf("%s with PATH=%s: %v", test.interpreter, test.path, err)
		}
		if shows(closure, private+"/lib/python3.12/site-packages") {
			t.Errorf("%s shows the private environment", test.interpreter)
		}
	}
}
