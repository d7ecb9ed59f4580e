package host

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// shows says whether a closure makes a path visible.
func shows(c Closure, path string) bool {
	return slices.ContainsFunc(c.Binds, func(b Bind) bool {
		return within(path, b.Path) && (len(b.Only) == 0 || slices.ContainsFunc(b.Only, func(name string) bool {
			return within(path, filepath.Join(b.Path, name))
		}))
	})
}

// compileLibrary makes a shared library. A caller adds what it needs.
func compileLibrary(t *testing.T, path string, options ...string) {
	t.Helper()
	testenv.Need(t, testenv.Compiler)
	args := append([]string{"-shared", "-o", path, "-x", "c", "/dev/null", "-x", "none"}, options...)
	if output, err := exec.Command("cc", args...).CombinedOutput(); err != nil {
		t.Fatalf("cc %v: %v\n%s", args, err, output)
	}
}

// hostile is a virtual environment from a stranger, and a directory of the
// caller with what must not be seen.
type hostile struct {
	venv, secret string
	packages     string // site-packages of venv
}

func newHostile(t *testing.T) hostile {
	t.Helper()
	base := testenv.WorldDir(t)
	python := fakePrefix(t, filepath.Join(base, "python"), "python3.12")
	h := hostile{venv: filepath.Join(base, "venv"), secret: filepath.Join(base, "secret")}
	h.packages = filepath.Join(h.venv, "lib/python3.12/site-packages")
	for _, dir := range []string{h.packages, filepath.Join(h.venv, "bin"), filepath.Join(h.secret, "site-packages")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	writeFile(t, filepath.Join(h.secret, "key"), "secret")
	writeFile(t, filepath.Join(h.venv, "pyvenv.cfg"), "home = "+filepath.Dir(python)+"\nversion = 3.12.1\n")
	link(t, python, filepath.Join(h.venv, "bin/python"))
	return h
}

func link(t *testing.T, target, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

func (h hostile) find(t *testing.T) Interpreter {
	t.Helper()
	python, err := FindInterpreter(h.venv, Caller{UID: os.Geteuid(), Directory: "/", Env: map[string]string{}})
	if err != nil {
		t.Fatal(err)
	}
	return python
}

func TestHostileEnvironmentsShowNothingElse(t *testing.T) {
	for name, plant := range map[string]func(*testing.T, hostile){
		"nothing": func(*testing.T, hostile) {},
		"a symlink among the packages": func(t *testing.T, h hostile) {
			link(t, h.secret, filepath.Join(h.packages, "data"))
			link(t, filepath.Join(h.secret, "key"), filepath.Join(h.packages, "key"))
		},
		"packages that are a symlink": func(t *testing.T, h hostile) { link(t, h.secret, h.packages) },
		"a library directory elsewhere": func(t *testing.T, h hostile) {
			if err := os.MkdirAll(filepath.Join(h.secret, "python3.12/site-packages"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(h.secret, 0o700); err != nil {
				t.Fatal(err)
			}
			link(t, h.secret, filepath.Join(h.venv, "lib"))
		},
		"a second library directory": func(t *testing.T, h hostile) { link(t, h.secret, filepath.Join(h.venv, "lib64")) },
		"a library that is a symlink to a text": func(t *testing.T, h hostile) {
			link(t, filepath.Join(h.secret, "key"), filepath.Join(h.packages, "_x.so"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHostile(t)
			plant(t, h)
			if err := os.Chmod(filepath.Join(h.secret, "key"), 0o644); err != nil {
				t.Fatal(err)
			}
			python := h.find(t)
			for _, path := range []string{h.secret, filepath.Join(h.secret, "key"), filepath.Join(h.secret, "site-packages"), filepath.Join(h.secret, "python3.12/site-packages")} {
				if shows(python.Closure, path) {
					t.Errorf("%s is visible: %+v", path, python.Binds)
				}
			}
			if !shows(python.Closure, python.Prefix+"/lib/python3.12/os.py") {
				t.Error("the standard library is not visible")
			}
		})
	}
}

// TestHostileLibraryNeedsShowOnlyPublicLibraries names files as needed libraries
// that every user may read, that a stranger owns, that only the caller may read,
// and that are none.
func TestHostileLibraryNeedsShowOnlyPublicLibraries(t *testing.T) {
	testenv.Need(t, testenv.Root)
	h := newHostile(t)
	compileLibrary(t, filepath.Join(h.secret, "libpublic.so"), "-Wl,-soname,libpublic.so")
	compileLibrary(t, filepath.Join(h.secret, "libstranger.so"), "-Wl,-soname,libstranger.so")
	compileLibrary(t, filepath.Join(h.secret, "libprivate.so"), "-Wl,-soname,libprivate.so")
	compileLibrary(t, filepath.Join(h.secret, "libkey.so"), "-Wl,-soname,libkey.so")
	compileLibrary(t, filepath.Join(h.packages, "_planted.so"), "-Wl,-rpath,"+h.secret, "-L"+h.secret,
		"-Wl,--no-as-needed", "-lpublic", "-lstranger", "-lprivate", "-lkey")
	writeFile(t, filepath.Join(h.secret, "libkey.so"), "no library any more")
	if err := os.Chmod(filepath.Join(h.secret, "libprivate.so"), 0o600); err != nil {
		t.Fatal(err)
	}
	const stranger = 4711
	if err := os.Chown(filepath.Join(h.secret, "libstranger.so"), stranger, stranger); err != nil {
		t.Fatal(err)
	}
	python := h.find(t)
	for file, want := range map[string]bool{"libpublic.so": true, "libstranger.so": false, "libprivate.so": false, "libkey.so": false, "key": false} {
		if got := shows(python.Closure, filepath.Join(h.secret, file)); got != want {
			t.Errorf("%s is visible: %v", file, got)
		}
	}
}

// TestAMissingLibraryIsToldFromAPrivateOne has a program whose one library is nowhere,
// and one whose library the host's loader finds in a directory of mode 0700.
func TestAMissingLibraryIsToldFromAPrivateOne(t *testing.T) {
	base := testenv.WorldDir(t)
	private := filepath.Join(base, "private")
	if err := os.Mkdir(private, 0o700); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(private, "libown.so"), string(smallObject("libc.so.6", "")))
	for library, want := range map[string]string{
		"libown.so":     "needs libown.so, but " + private + "/libown.so is not readable by every user",
		"libnowhere.so": "needs libnowhere.so, which no directory of the loader has",
	} {
		program := filepath.Join(base, library+"-user")
		if err := os.WriteFile(program, smallObject(library, private), 0o755); err != nil {
			t.Fatal(err)
		}
		if _, err := ProgramClosure([]string{program}, testCaller()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestHostileLoaderIsNotShown names a directory and a text as the loader.
func TestHostileLoaderIsNotShown(t *testing.T) {
	for _, target := range []string{"secret", "secret/key"} {
		t.Run(target, func(t *testing.T) {
			h := newHostile(t)
			loader := filepath.Join(filepath.Dir(h.venv), target)
			copied := filepath.Join(h.venv, "bin/python3.12")
			testenv.Need(t, testenv.Compiler)
			source := filepath.Join(t.TempDir(), "main.c")
			writeFile(t, source, "int main(void) { return 0; }\n")
			if output, err := exec.Command("cc", "-o", copied, source, "-Wl,--dynamic-linker="+loader).CombinedOutput(); err != nil {
				t.Fatalf("cc: %v\n%s", err, output)
			}
			link(t, "python3.12", filepath.Join(h.venv, "bin/python"))
			python, err := FindInterpreter(h.venv, Caller{UID: os.Geteuid(), Directory: "/", Env: map[string]string{}})
			if err == nil {
				t.Errorf("found %+v", python.Binds)
			}
		})
	}
}

// TestHostileHomeIsNotFollowed points pyvenv.cfg at directories without CPython.
func TestHostileHomeIsNotFollowed(t *testing.T) {
	h := newHostile(t)
	for _, home := range []string{h.secret, "/etc", "../..", "/usr/bin/../../etc", ""} {
		writeFile(t, filepath.Join(h.venv, "pyvenv.cfg"), "home = "+home+"\n")
		python, err := FindInterpreter(h.venv, Caller{UID: os.Geteuid(), Directory: "/", Env: map[string]string{}})
		if err == nil && (shows(python.Closure, h.secret) || shows(python.Closure, "/etc/passwd")) {
			t.Errorf("home = %s: %+v", home, python.Binds)
		}
		if err == nil {
			t.Errorf("home = %s was accepted", home)
		}
	}
	writeFile(t, filepath.Join(h.venv, "pyvenv.cfg"), "HOME="+filepath.Join(filepath.Dir(h.venv), "python/bin")+"\nversion_info = 3.12.1.final.0\n")
	if got := h.find(t).Venv; got != h.venv {
		t.Errorf("a good one is venv %q", got)
	}
}

// TestPrivateInterpreterIsClaimedAsSuch looks for an interpreter in a home that only its
// owner may enter: its parts are claimed, and they are not called public.
func TestPrivateInterpreterIsClaimedAsSuch(t *testing.T) {
	prefix := filepath.Join(t.TempDir(), "private") // below a directory of mode 0700 or 0755
	fakePrefix(t, prefix, "python3.12")
	if err := os.Chmod(prefix, 0o700); err != nil {
		t.Fatal(err)
	}
	python, err := FindInterpreter(prefix, Caller{UID: os.Geteuid(), Directory: "/", Env: map[string]string{}})
	if err != nil {
		t.Fatal(err)
	}
	private := 0
	for _, bind := range python.Binds {
		if inside := within(bind.Path, prefix); inside == bind.Public {
			t.Errorf("%s is public: %v", bind.Path, bind.Public)
		} else if inside {
			private++
		}
	}
	if private == 0 || shows(python.Closure, prefix) || shows(python.Closure, filepath.Join(prefix, "include")) {
		t.Errorf("%d parts of the prefix are visible: %+v", private, python.Binds)
	}
}

func TestSearchPathIgnoresTheWorkingDirectory(t *testing.T) {
	dir := t.TempDir()
	fakePrefix(t, dir, "python3.12")
	for _, path := range []string{".", "", "bin", ":", "./bin:"} {
		caller := Caller{UID: os.Geteuid(), Directory: filepath.Join(dir, "bin"), Env: map[string]string{"PATH": path}}
		if _, err := locate(newTree(), "python3", caller); err == nil {
			t.Errorf("PATH=%q found a program in the working directory", path)
		}
	}
	if got := (Caller{}).searchPath(); len(got) == 0 {
		t.Error("without PATH nothing is searched")
	}
}
