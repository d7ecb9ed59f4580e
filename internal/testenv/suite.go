package testenv

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// PythonWithTests returns the newest CPython that has the package test, which
// distributions ship apart, and that ordinary users may run.
func PythonWithTests() (Python, error) {
	var found Python
	for _, path := range pythonCandidates() {
		python, ok := identify(path)
		if ok && python.Minor > found.Minor && runsTests(path) {
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
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: Nobody, Gid: Nobody}}
	}
	return cmd.Run() == nil
}

func probePythonTests() error {
	_, err := PythonWithTests()
	return err
}
