package testenv

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Python is one CPython of this machine.
type Python struct {
	Path    string // absolute, as found: the name that a user would give
	Version string // "3.12.1"
	Minor   int    // 12
}

// Name is "3.12", the form that a policy and a subtest use.
func (p Python) Name() string { return "3." + strconv.Itoa(p.Minor) }

// oldestMinor is the oldest supported minor version of CPython 3.
const oldestMinor = 8

// Pythons returns every CPython from 3.8 on below ~/.pyenv/versions, on PATH and
// in /usr/bin, each executable once. It fails the test if there is none, and
// logs what it found so that a run says which versions it tested.
func Pythons(tb testing.TB) []Python {
	tb.Helper()
	found := allPythons()
	if len(found) == 0 {
		tb.Fatalf("testenv: no CPython 3.%d or newer found; install python3", oldestMinor)
	}
	for _, python := range found {
		tb.Logf("testenv: CPython %s at %s", python.Version, python.Path)
	}
	return found
}

// allPythons identifies every CPython of the candidates, each file once.
func allPythons() []Python {
	var found []Python
	seen := make(map[string]bool)
	for _, path := range pythonCandidates() {
		file, err := filepath.EvalSymlinks(path)
		if err != nil || seen[file] {
			continue
		}
		seen[file] = true
		if python, ok := identify(path); ok {
			found = append(found, python)
		}
	}
	return found
}

// pythonCandidates lists executables that may be interpreters. Shims of pyenv
// on PATH start another program; the versions behind them are listed directly.
func pythonCandidates() []string {
	candidates := pyenvExecutables()
	dirs := append(filepath.SplitList(os.Getenv("PATH")), "/usr/bin")
	for _, dir := range dirs {
		if strings.HasSuffix(dir, "/shims") {
			continue
		}
		matches, err := filepath.Glob(filepath.Join(dir, "python3*"))
		if err != nil {
			continue // a PATH entry with brackets is no directory of ours
		}
		candidates = append(candidates, matches...)
	}
	return candidates
}

func pyenvExecutables() []string {
	home, err := os.UserHomeDir()
	if err != nil {
		return nil
	}
	matches, err := filepath.Glob(filepath.Join(home, ".pyenv/versions/*/bin/python3"))
	if err != nil {
		return nil
	}
	return matches
}

// identify asks an executable for its version. What is not CPython 3.8 or newer,
// such as python3-config, is not identified.
func identify(path string) (Python, bool) {
	if strings.HasSuffix(path, "-config") {
		return Python{}, false
	}
	const question = "import platform; print(platform.python_implementation(), platform.python_version())"
	output, err := exec.Command(path, "-I", "-S", "-c", question).Output()
	if err != nil {
		return Python{}, false
	}
	version, ok := strings.CutPrefix(strings.TrimSpace(string(output)), "CPython ")
	if !ok {
		return Python{}, false
	}
	parts := strings.Split(version, ".")
	if len(parts) < 3 || parts[0] != "3" {
		return Python{}, false
	}
	minor, err := strconv.Atoi(parts[1])
	if err != nil || minor < oldestMinor {
		return Python{}, false
	}
	return Python{Path: path, Version: version, Minor: minor}, true
}
