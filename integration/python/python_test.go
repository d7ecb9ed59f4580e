// Package python runs the tests of the Python packages: the host's client on
// every CPython from 3.9 on, with every one from 3.8 on as the guest.
package python

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// oldestHost is the oldest minor version that the client supports.
const oldestHost = 9

// environment is what the Python tests read, and nothing else of the caller's
// that could change what they find.
func environment(t *testing.T, guests []testenv.Python) []string {
	t.Helper()
	root, err := testenv.RepositoryRoot()
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, guest := range guests {
		paths = append(paths, guest.Path)
	}
	oracle, err := filepath.Glob(filepath.Join(os.Getenv("HOME"), ".pyenv/versions/2.7*/bin/python2.7"))
	if err != nil {
		t.Fatal(err)
	}
	return append(os.Environ(),
		"PYSANDBOX_BINARY="+testenv.Binary(t),
		packagePath(root), "PYTHONDONTWRITEBYTECODE=1",
		"PYSANDBOX_GUESTS="+strings.Join(paths, ":"),
		"PYSANDBOX_ORACLE="+strings.Join(oracle, ""),
	)
}

// packagePath is the variable by which Python finds the client and the tests.
func packagePath(root string) string {
	return "PYTHONPATH=" + filepath.Join(root, "cpython-shim/python") + ":" + filepath.Join(root, "integration/python")
}

// clientTests are those in which the version of the host counts.
func clientTests() []string { return []string{"test_sandbox", "test_capability", "test_async"} }

// TestPython runs every test_*.py with one host, and those of the client with all
// others.
func TestPython(t *testing.T) {
	pythons := testenv.Pythons(t)
	env := environment(t, pythons)
	modules, err := filepath.Glob("test_*.py")
	if err != nil || len(modules) == 0 {
		t.Fatalf("there are no tests here: %v", err)
	}
	hosts := 0
	for _, python := range pythons {
		if python.Minor < oldestHost {
			continue
		}
		hosts++
		t.Run(python.Name()+" "+filepath.Base(filepath.Dir(filepath.Dir(python.Path))), func(t *testing.T) {
			for _, module := range modules {
				name := strings.TrimSuffix(module, ".py")
				if hosts > 1 && !slices.Contains(clientTests(), name) {
					continue
				}
				cmd := exec.Command(python.Path, "-m", "unittest", name)
				cmd.Env = env
				output, err := cmd.CombinedOutput()
				if err != nil || !strings.Contains(string(output), "\nRan ") {
					t.Errorf("%s: %v\n%s", name, err, output)
				}
			}
		})
	}
	if hosts == 0 {
		t.Fatalf("no CPython 3.%d or newer for the client was found", oldestHost)
	}
}
