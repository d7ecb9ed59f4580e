package seccomp_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/internal/testenv"
	"github.com/pysandbox/pysandbox/seccomp"
)

// scenario is an honest program of testdata/scenarios. Its head names the layers
// it needs, and the CPython it needs if not any.
type scenario struct {
	name, file string
	layers     []string
	since      int // minor version
}

func scenarios(tb testing.TB) []scenario {
	tb.Helper()
	files, err := filepath.Glob("testdata/scenarios/*.py")
	if err != nil || len(files) == 0 {
		tb.Fatalf("%d scenarios, %v", len(files), err)
	}
	var all []scenario
	for _, file := range files {
		source := readText(tb, file)
		s := scenario{name: strings.TrimSuffix(filepath.Base(file), ".py"), file: file, layers: strings.Fields(header(source, "layers"))}
		if version := header(source, "since"); version != "" {
			if s.since, err = strconv.Atoi(strings.TrimPrefix(version, "3.")); err != nil {
				tb.Fatalf("%s: since %s", file, version)
			}
		}
		if len(s.layers) == 0 {
			tb.Fatalf("%s names no layers", file)
		}
		all = append(all, s)
	}
	return all
}

// interpreter is one CPython, from 3.6 on: older than is supported, as glibc and
// the filter do not care.
type interpreter struct {
	path  string
	minor int
}

func interpreters(tb testing.TB) []interpreter {
	tb.Helper()
	testenv.Need(tb, testenv.PyenvPython, testenv.DebianPython)
	home, err := os.UserHomeDir()
	if err != nil {
		tb.Fatal(err)
	}
	paths, err := filepath.Glob(filepath.Join(home, ".pyenv/versions/3.*/bin/python3"))
	if err != nil {
		tb.Fatal(err)
	}
	var all []interpreter
	for _, path := range append(paths, python) {
		output, err := exec.Command(path, "--version").Output()
		match := regexp.MustCompile(`^Python 3\.(\d+)\.`).FindSubmatch(output)
		if err != nil || match == nil {
			tb.Fatalf("%s is no CPython 3: %q, %v", path, output, err)
		}
		minor, err := strconv.Atoi(string(match[1]))
		if err != nil {
			tb.Fatal(err)
		}
		tb.Logf("CPython 3.%d at %s", minor, path)
		all = append(all, interpreter{path, minor})
	}
	return all
}

// TestScenarios runs every honest program on every CPython under the layers it
// names. It must succeed, and nothing it does may be refused and reported.
func TestScenarios(t *testing.T) {
	all := scenarios(t)
	for _, interpreter := range interpreters(t) {
		for _, s := range all {
			if interpreter.minor < s.since {
				continue
			}
			t.Run(filepath.Base(filepath.Dir(filepath.Dir(interpreter.path)))+"/"+s.name, func(t *testing.T) {
				t.Parallel()
				argv := []string{interpreter.path, "-I", "-B", s.file}
				got := runConfined(t, layers(t, s.layers...), argv...)
				if got.status == "0" && len(got.reported) == 0 {
					return
				}
				free := runFree(t, argv...)
				t.Errorf("under %v it ends with %s, and %v was refused:\n%s\nfree it ends with %s:\n%s",
					s.layers, got.status, got.reported, got.output, free.status, free.output)
			})
		}
	}
}

// TestScenariosNeedTheirLayers is the control: with base alone, whatever needs
// more fails or is told so. It can still remove what it makes.
func TestScenariosNeedTheirLayers(t *testing.T) {
	testenv.Need(t, testenv.DebianPython)
	base, err := seccomp.WithSyscalls(layers(t, "base"), []string{"rmdir", "unlink", "unlinkat"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range scenarios(t) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			got := runConfined(t, base, python, "-I", "-B", s.file)
			clean := got.status == "0" && len(got.reported) == 0
			if needsMore := len(s.layers) > 1; clean == needsMore {
				t.Errorf("it names %v; with base it ends with %s and %v was refused:\n%s", s.layers, got.status, got.reported, got.output)
			}
		})
	}
}

// TestNumpy computes with every thread that OpenBLAS starts.
func TestNumpy(t *testing.T) {
	testenv.Need(t, testenv.Numpy)
	const code = "import numpy; a = numpy.random.rand(300, 300); print(numpy.linalg.inv(a).shape)"
	got := runConfined(t, layers(t, "base", "threads", "files_write", "numpy"), python, "-I", "-c", code)
	if got.status != "0" || got.output != "(300, 300)\n" || len(got.reported) > 0 {
		t.Errorf("it ends with %s, %v was refused: %s", got.status, got.reported, got.output)
	}
}
