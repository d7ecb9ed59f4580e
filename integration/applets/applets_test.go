// Package applets tests the applet host of examples/applets: real servers, one
// sandbox for each origin, and origins that mean harm.
package applets

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

func TestApplets(t *testing.T) {
	root, err := testenv.RepositoryRoot()
	if err != nil {
		t.Fatal(err)
	}
	pythons := testenv.Pythons(t)
	python := pythons[len(pythons)-1] // the client supports the newer half
	for _, p := range pythons {
		if p.Minor > python.Minor {
			python = p
		}
	}
	cmd := exec.Command(python.Path, "-m", "unittest", "test_applets")
	cmd.Env = append(os.Environ(),
		"PYSANDBOX_BINARY="+testenv.Binary(t), "PYTHONDONTWRITEBYTECODE=1",
		"PYTHONPATH="+filepath.Join(root, "cpython-shim/python"))
	output, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(output), "\nRan ") {
		t.Errorf("%v\n%s", err, output)
	}
}
