package host

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

func TestImportsOf(t *testing.T) {
	const source = `import a.b, c as d
from e import f, g as h
from . import i
from ..j import k
try:
    import l
except ImportError:
    pass
def late():
    import never
class Late:
    from never import also
# a comment
    import inside_the_class
if __name__ == "__main__":
    import program
def _main():
    import program
def maintain():
    import never
from m import (n,
    o)
`
	want := []string{"a.b", "c", "e", "e.f", "e.g", "p.q", "p.q.i", "p.j", "p.j.k", "l", "m", "m.n"}
	now, late := importsOf([]byte(source), "p.q")
	if !slices.Equal(now, want) {
		t.Errorf("got %q, want %q", now, want)
	}
	if want := []string{"never", "never", "never.also", "inside_the_class", "never"}; !slices.Equal(late, want) {
		t.Errorf("got %q later, want %q", late, want)
	}
}

func TestModuleNames(t *testing.T) {
	for name, want := range map[string]string{
		"json": "json", "abc.py": "abc", "abc.cpython-311.pyc": "abc", "_json.cpython-311-x86_64-linux-gnu.so": "_json",
		"numpy-1.24.dist-info": "numpy", "numpy.libs": "numpy",
	} {
		if got := moduleName(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestImportsOfOddSources(t *testing.T) {
	for source, want := range map[string][]string{
		"":                            nil,
		"import":                      nil,
		"\nimport a":                  {"a"},
		"  import a\nimport b":        {"a", "b"},
		"#\n\timport a\r\n":           {"a"},
		"x = 'import a'\nimportant()": nil,
		"def f():\n\n# b\n  import a": nil,
		"if x:\n    import a; b\n":    {"a"},
	} {
		if now, _ := importsOf([]byte(source), ""); !slices.Equal(now, want) {
			t.Errorf("%q: got %q, want %q", source, now, want)
		}
	}
}

func TestImportsOfAProgram(t *testing.T) {
	source := "import os, helper.part as h\nfrom . import beside\nfrom tools.x import y\ndef f():\n    import late\n    import helper\n"
	if got, want := Imports([]byte(source)), []string{"os", "helper", "tools", "late"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A program that could write into an environment may have left anything in it.
func TestHostileSourcesAreSearched(t *testing.T) {
	packages := filepath.Join(t.TempDir(), "site-packages")
	for _, err := range []error{
		os.Mkdir(packages, 0o755),
		os.WriteFile(filepath.Join(packages, "good.py"), []byte("import pipe, huge, after\n"), 0o644),
		unix.Mkfifo(filepath.Join(packages, "pipe.py"), 0o644),
		os.WriteFile(filepath.Join(packages, "huge.py"), []byte("import found\n"), 0o644),
		os.Truncate(filepath.Join(packages, "huge.py"), 1<<40),
		os.WriteFile(filepath.Join(packages, "after.py"), nil, 0o644),
		os.WriteFile(filepath.Join(packages, "found.py"), nil, 0o644),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	python := Interpreter{Closure: Closure{Binds: []Bind{{Path: packages}}}}
	needed := python.NeededModules([]string{"good"})
	for _, name := range []string{"good", "pipe", "huge", "after", "found"} {
		if !slices.Contains(needed, name) {
			t.Errorf("%s is missing in %q", name, needed)
		}
	}
}

// TestWhatModulesInCImport: no source says it, so it comes with what lies beside it.
func TestWhatModulesInCImport(t *testing.T) {
	packages := filepath.Join(t.TempDir(), "site-packages")
	if err := os.Mkdir(packages, 0o755); err != nil {
		t.Fatal(err)
	}
	const compiled = "0a1b__mypyc.cpython-312-x86_64-linux-gnu.so"
	for _, name := range []string{"plain.py", "other.py", compiled, "_cffi_backend.so", "uuid.py"} {
		writeFile(t, filepath.Join(packages, name), "")
	}
	python := Interpreter{Closure: Closure{Binds: []Bind{{Path: packages}}}}
	for named, want := range map[string][]string{
		"plain": {"0a1b__mypyc", "_cffi_backend"}, "orjson": {"uuid", "zoneinfo"},
	} {
		needed := python.NeededModules([]string{named})
		for _, name := range want {
			if !slices.Contains(needed, name) {
				t.Errorf("%s: %s is missing in %q", named, name, needed)
			}
		}
		if slices.Contains(needed, "other") {
			t.Errorf("%s: %q", named, needed)
		}
	}
}
