package host

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// fakePrefix makes what looks like an installation of CPython and is none: its
// executable is another program, which would show if it were run.
func fakePrefix(t *testing.T, prefix, name string, links ...string) string {
	t.Helper()
	for _, dir := range []string{"bin", "lib/" + name} {
		if err := os.MkdirAll(filepath.Join(prefix, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	executable := filepath.Join(prefix, "bin", name)
	copyFile(t, "/usr/bin/env", executable)
	if err := os.WriteFile(filepath.Join(prefix, "lib", name, "os.py"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	include := filepath.Join(prefix, "include", name)
	if err := os.MkdirAll(include, 0o755); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(include, "patchlevel.h"), "#define PY_VERSION      \t\""+filepath.Base(prefix)+"\"\n")
	for _, link := range append(links, "python3", "python") {
		if err := os.Symlink(name, filepath.Join(prefix, "bin", link)); err != nil {
			t.Fatal(err)
		}
	}
	return executable
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	source, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(target, source); err != nil {
		t.Fatal(err)
	}
	if err := target.Close(); err != nil {
		t.Fatal(err)
	}
}

// fakePyenv makes an installation of pyenv whose shim would leave a mark if it
// were run.
func fakePyenv(t *testing.T, versions ...string) (root, mark string) {
	t.Helper()
	root = filepath.Join(t.TempDir(), "pyenv")
	mark = filepath.Join(t.TempDir(), "mark")
	if err := os.MkdirAll(filepath.Join(root, "shims"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, version := range versions {
		name := "python" + majorMinor(version)
		fakePrefix(t, filepath.Join(root, "versions", version), name)
		for _, shim := range []string{"python3", name} {
			script := "#!/bin/sh\ntouch " + mark + "\n"
			if err := os.WriteFile(filepath.Join(root, "shims", shim), []byte(script), 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	return root, mark
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestRequestsThroughPyenv(t *testing.T) {
	root, mark := fakePyenv(t, "3.9.1", "3.12.1", "3.12.10", "3.13.2")
	project := filepath.Join(t.TempDir(), "project")
	below := filepath.Join(project, "a/b")
	if err := os.MkdirAll(below, 0o755); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(root, "version"), "# the usual one\n3.9.1\n")
	writeFile(t, filepath.Join(project, ".python-version"), "3.12.1 3.13.2\n")
	elsewhere := t.TempDir()

	for _, c := range []struct {
		request, variable, directory string
		want                         string // version directory
	}{
		{"", "", elsewhere, "3.9.1"},
		{"python3", "", elsewhere, "3.9.1"},
		{"python3", "", project, "3.12.1"},
		{"python3", "", below, "3.12.1"},
		{"python3.13", "", below, "3.13.2"},
		{"python3", "3.13.2", below, "3.13.2"},
		{"python3", "3.12", below, "3.12.10"},
		{"python3", "python-3.12.10:3.9.1", below, "3.12.10"},
		{"3.9", "", below, "3.9.1"},
		{"3.12", "", elsewhere, "3.12.10"},
		{"3.12.1", "", elsewhere, "3.12.1"},
		{"3.13", "", elsewhere, "3.13.2"},
		{filepath.Join(root, "shims/python3"), "", project, "3.12.1"},
		{filepath.Join(root, "versions/3.13.2"), "", project, "3.13.2"},
		{"../versions/3.13.2/bin/python3", "", filepath.Join(root, "shims"), "3.13.2"},
	} {
		caller := Caller{UID: os.Geteuid(), Directory: c.directory, Env: map[string]string{
			"PATH": filepath.Join(root, "shims"), "PYENV_ROOT": root, "PYENV_VERSION": c.variable,
		}}
		got, err := locate(newTree(), c.request, caller)
		if err != nil || !strings.HasPrefix(got, filepath.Join(root, "versions", c.want)+"/") {
			t.Errorf("%q with PYENV_VERSION=%q in %s: %s (%v), want %s", c.request, c.variable, c.directory, got, err, c.want)
		}
	}
	if _, err := os.Lstat(mark); err == nil {
		t.Error("a shim was run")
	}
}

// TestVersionFilesDoNotLeadOutside names a version that is a path.
func TestVersionFilesDoNotLeadOutside(t *testing.T) {
	root, _ := fakePyenv(t, "3.9.1")
	outside := filepath.Join(t.TempDir(), "outside")
	fakePrefix(t, outside, "python3.12")
	relative, err := filepath.Rel(filepath.Join(root, "versions"), outside)
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{relative, outside, "..", "."} {
		caller := Caller{UID: os.Geteuid(), Directory: "/", Env: map[string]string{
			"PATH": filepath.Join(root, "shims"), "PYENV_ROOT": root, "PYENV_VERSION": version,
		}}
		if got, err := locate(newTree(), "python3", caller); err == nil {
			t.Errorf("version %q leads to %s", version, got)
		}
	}
}

// TestSystemVersionLooksBehindTheShims chooses pyenv's word for "not mine".
func TestSystemVersionLooksBehindTheShims(t *testing.T) {
	root, _ := fakePyenv(t, "3.9.1")
	system := filepath.Join(t.TempDir(), "system")
	executable := fakePrefix(t, system, "python3.11")
	caller := Caller{UID: os.Geteuid(), Directory: "/", Env: map[string]string{
		"PATH": filepath.Join(root, "shims") + ":relative::" + filepath.Join(system, "bin"), "PYENV_VERSION": "system",
	}}
	got, err := FindInterpreter("", caller)
	if err != nil || got.Executable != filepath.Join(filepath.Dir(executable), "python3") || got.Version != "3.11" || got.Prefix != system {
		t.Errorf("%+v (%v)", got, err)
	}
}

func TestNotFoundListsWhatThereIs(t *testing.T) {
	root, _ := fakePyenv(t, "3.9.1", "3.12.1")
	caller := Caller{UID: os.Geteuid(), Directory: "/", Env: map[string]string{"PATH": "/nowhere", "PYENV_ROOT": root}}
	for _, request := range []string{"", "python3.7", "3.7", "3.12.7", "/nowhere/bin/python3", "nowhere/venv", root} {
		_, err := FindInterpreter(request, caller)
		var notFound *NotFoundError
		if !errors.Is(err, ErrNotFound) || !errors.As(err, &notFound) {
			t.Errorf("%q: %v", request, err)
			continue
		}
		for _, version := range []string{"3.9.1", "3.12.1"} {
			path := filepath.Join(root, "versions", version, "bin/python3")
			if !slices.Contains(notFound.Found, path) || !strings.Contains(err.Error(), path) {
				t.Errorf("%q: %s is not listed: %v", request, path, err)
			}
		}
	}
}

func TestOldVersionsAreRefusedAndNotOffered(t *testing.T) {
	root, _ := fakePyenv(t, "3.7.16", "3.8.18")
	caller := Caller{UID: os.Geteuid(), Directory: "/", Env: map[string]string{"PATH": "/nowhere", "PYENV_ROOT": root}}
	old := filepath.Join(root, "versions/3.7.16/bin/python3")
	for _, request := range []string{"3.7", "3.7.16", "python3.7", "python2.7", "2", old, filepath.Dir(filepath.Dir(old))} {
		_, err := FindInterpreter(request, caller)
		if err == nil || !strings.Contains(err.Error(), "is too old; 3.8 is the oldest that is supported") {
			t.Errorf("%q: %v", request, err)
		}
		var notFound *NotFoundError
		if errors.As(err, &notFound) && slices.Contains(notFound.Found, old) {
			t.Errorf("%q: it is offered: %v", request, err)
		}
		if !errors.Is(err, ErrTooOld) && !errors.Is(err, ErrNotCPython) {
			t.Errorf("%q: another host could have it: %v", request, err)
		}
	}
	for _, request := range []string{"3.8", "3.8.18"} {
		if got, err := FindInterpreter(request, caller); err != nil || got.Version != "3.8" {
			t.Errorf("control, %q: %+v (%v)", request, got, err)
		}
	}
}

func TestRefusesWhatIsNoCPython(t *testing.T) {
	dir := t.TempDir()
	fakePrefix(t, dir, "python3.12", "pypy3")
	script := filepath.Join(dir, "bin/python3.11")
	writeFile(t, script, "#!/bin/sh\n")
	if err := os.Chmod(script, 0o755); err != nil {
		t.Fatal(err)
	}
	alone := filepath.Join(t.TempDir(), "python3")
	copyFile(t, "/usr/bin/env", alone)
	old := filepath.Join(t.TempDir(), "old")
	fakePrefix(t, old, "python3.5")
	copyFile(t, "/usr/bin/env", filepath.Join(dir, "bin/pypy3.10"))
	caller := Caller{UID: os.Geteuid(), Directory: "/", Env: map[string]string{}}
	for path, word := range map[string]string{
		"/usr/bin/env":                     "named",
		filepath.Join(dir, "bin/pypy3.10"): "named",
		script:                             "script",
		alone:                              "os.py",
		filepath.Join(old, "bin/python3"):  "Python 3.5 is too old; 3.8 is the oldest",
		"/etc/passwd":                      "executable",
	} {
		_, err := FindInterpreter(path, caller)
		if !errors.Is(err, ErrNotCPython) || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := FindInterpreter(filepath.Join(dir, "bin/python3"), caller); err != nil {
		t.Errorf("the one that may be run: %v", err)
	}
}

func TestRefusesWhatOthersCouldHavePlanted(t *testing.T) {
	testenv.Need(t, testenv.Root)
	const stranger = 4711
	for _, path := range []string{".", "bin/python3.12", "lib/python3.12"} {
		prefix := filepath.Join(t.TempDir(), "prefix")
		fakePrefix(t, prefix, "python3.12")
		if err := os.Chown(filepath.Join(prefix, path), stranger, stranger); err != nil {
			t.Fatal(err)
		}
		request := filepath.Join(prefix, "bin/python3")
		if _, err := FindInterpreter(request, Caller{Directory: "/"}); !errors.Is(err, ErrUntrusted) {
			t.Errorf("%s of a stranger: %v", path, err)
		}
		if _, err := FindInterpreter(request, Caller{UID: stranger, Directory: "/"}); err != nil {
			t.Errorf("%s of the caller: %v", path, err)
		}
		if err := os.Chown(filepath.Join(prefix, path), 0, 0); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(prefix, path), 0o777); err != nil {
			t.Fatal(err)
		}
		if _, err := FindInterpreter(request, Caller{Directory: "/"}); !errors.Is(err, ErrUntrusted) {
			t.Errorf("%s that everyone can write: %v", path, err)
		}
	}
}

func TestPatchVersionIsReadFromTheInstallation(t *testing.T) {
	for _, python := range testenv.Pythons(t) {
		l, err := readLayout(newTree(), python.Path, "")
		if err != nil {
			t.Fatal(err)
		}
		if got := l.fullVersion(newTree()); got != python.Version {
			t.Errorf("%s: version %s, it says %s", python.Path, got, python.Version)
		}
		if got := versionConstant(l.executable, l.version); got != "" && got != python.Version {
			t.Errorf("%s: constant %s, it says %s", python.Path, got, python.Version)
		}
	}
}

func TestVersionWords(t *testing.T) {
	for request, want := range map[string]bool{
		"3": true, "3.12": true, "3.12.1": true,
		"": false, "2.7": false, "3.": false, "3.12.1.1": false, "3.x": false, "3.123": false, "python3": false, "3/../4": false,
	} {
		if got := isVersionRequest(request); got != want {
			t.Errorf("%q is a version: %v", request, got)
		}
	}
	sorted := []string{"3.9.18", "3.10.1", "3.10.13", "3.12", "3.12.1", "3.12.10"}
	if !slices.IsSortedFunc(sorted, compareVersions) {
		t.Error("versions are not ordered by their numbers")
	}
	for name, want := range map[string]string{"python3.12": "3.12 ", "python3.13t": "3.13 t", "python3": " ", "python3.1x2": " ", "python3.-1": " ", "python3.": " "} {
		version, suffix, _ := parsePythonName(name)
		if got := version + " " + suffix; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
