package testenv

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
)

// PythonWithTests returns the newest CPython that has the package test, which
// distributions ship apart, and that ordinary users may run.
func PythonWithTests() (Python, error) {
	var found Python
	for _, python := range allPythons() {
		if python.Minor > found.Minor && runsTests(python.Path) {
			found = python
		}
	}
	if found.Path == "" {
		return found, errors.New("no CPython that ordinary users may run has its tests; on Debian install libpython3.*-testsuite")
	}
	return found, nil
}

// runsTests tells whether an ordinary user can import tests with the interpreter.
func runsTests(path string) bool {
	cmd := exec.Command(path, "-I", "-c", "import test.support, test.test_select")
	cmd.Dir = string(filepath.Separator)
	if os.Getuid() == 0 {
		takeOn(Nobody, cmd)
	}
	return cmd.Run() == nil
}

func probePythonTests() error {
	_, err := PythonWithTests()
	return err
}
