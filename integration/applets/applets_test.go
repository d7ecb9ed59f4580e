// Package applets tests the applet host of examples/applets: real servers, one
// sandbox for each origin, and origins that mean harm.
package applets

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// TestApplets runs the tests as the caller and, for root, as an ordinary user.
func TestApplets(t *testing.T) {
	root, err := testenv.RepositoryRoot()
	if err != nil {
		t.Fatal(err)
	}
	top := testenv.WorldDir(t) // every user can read what is there
	for _, dir := range []string{"cpython-shim/python", "integration/applets", "examples/applets"} {
		if err := os.CopyFS(filepath.Join(top, dir), os.DirFS(filepath.Join(root, dir))); err != nil {
			t.Fatal(err)
		}
	}
	for _, uid := range testenv.Users() {
		t.Run(fmt.Sprintf("uid %d", uid), func(t *testing.T) {
			cmd := testenv.RunAs(t, uid, exec.Command(newest(t, uid), "-m", "unittest", "test_applets"))
			cmd.Dir = filepath.Join(top, "integration/applets")
			cmd.Env = append(os.Environ(), "HOME="+top,
				"PYSANDBOX_BINARY="+testenv.Binary(t), "PYTHONDONTWRITEBYTECODE=1",
				"PYTHONPATH="+filepath.Join(top, "cpython-shim/python"))
			output, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(output), "\nRan ") {
				t.Errorf("%v\n%s", err, output)
			}
		})
	}
}

// newest returns the newest CPython that a user may run.
func newest(t *testing.T, uid uint32) string {
	t.Helper()
	var found testenv.Python
	for _, python := range testenv.Pythons(t) {
		cmd := testenv.RunAs(t, uid, exec.Command(python.Path, "-c", "pass"))
		cmd.Dir = "/"
		if python.Minor > found.Minor && cmd.Run() == nil {
			found = python
		}
	}
	if found.Path == "" {
		t.Fatalf("uid %d may run no CPython", uid)
	}
	return found.Path
}
