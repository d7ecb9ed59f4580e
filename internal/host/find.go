package host

import (
	"fmt"
	"path/filepath"
	"strings"
)

// selection is an interpreter that was found, before its closure is known.
type selection struct {
	executable string // as the caller or PATH names it, absolute
	venv       *venv  // nil outside of virtual environments
	layout     layout // of the base interpreter
}

// interpreter describes the selection without its closure.
func (s selection) interpreter() Interpreter {
	python := Interpreter{Executable: s.executable, Version: s.layout.version, Prefix: s.layout.prefix}
	if s.venv != nil {
		python.Venv = s.venv.dir
	}
	return python
}

// FindInterpreter finds the CPython that a request means, and its closure. A
// request is a name ("python3", also when empty), a path, a version ("3.12",
// "3.12.1"), or the directory of a virtual environment. Nothing that it finds
// is executed: versions, environments and libraries are read as data. The error
// wraps ErrNotFound, ErrNotCPython, ErrBrokenVenv or ErrUntrusted where one of them
// is why, and ErrTooOld too where no host has what is asked for.
func FindInterpreter(request string, caller Caller) (Interpreter, error) {
	return Cache{}.FindInterpreter(request, caller)
}

// locate turns a request into the path of an executable.
func locate(t *tree, request string, caller Caller) (string, error) {
	switch {
	case request == "":
		return locateName(t, "python3", caller)
	case isVersionRequest(request):
		return locateVersion(t, request, caller)
	case strings.Contains(request, "/"):
		return locatePath(t, request, caller)
	}
	path, err := locateName(t, request, caller)
	if old := oldVersion(request); err != nil && old != "" {
		return "", tooOldRequest(t, request, old, caller)
	}
	if err != nil && t.isDir(caller.absolute(request)) { // "venv", ".venv"
		return locatePath(t, request, caller)
	}
	return path, err
}

func locatePath(t *tree, request string, caller Caller) (string, error) {
	path := caller.absolute(request)
	found, err := t.walk(path)
	switch {
	case err != nil:
		return "", notFound(t, request, caller, err.Error())
	case !found.isDir():
		if program, ok := throughShim(t, path, caller); ok {
			return program, nil
		}
		return "", notFound(t, request, caller, "the pyenv version that is in force does not have it")
	}
	for _, name := range []string{"python", "python3"} {
		if executable := filepath.Join(path, "bin", name); t.isFile(executable) {
			return executable, nil
		}
	}
	return "", notFound(t, request, caller, "the directory has no bin/python3 and so is no virtual environment")
}

// locateName looks a program up on PATH, as a shell would.
func locateName(t *tree, name string, caller Caller) (string, error) {
	for _, dir := range caller.searchPath() {
		path := filepath.Join(dir, name)
		found, err := t.walk(path)
		if err != nil || !found.isFile() || found.stat.Mode&0o111 == 0 {
			continue
		}
		if program, ok := throughShim(t, path, caller); ok {
			return program, nil
		}
	}
	return "", notFound(t, name, caller, fmt.Sprintf("no directory of PATH has %s", name))
}

// throughShim returns the program that a shim of pyenv stands for, and any other
// path as it is. It is false when the version that is in force lacks the program.
func throughShim(t *tree, path string, caller Caller) (string, bool) {
	if p, ok := pyenvOfShim(t, path); ok {
		return p.program(t, caller, filepath.Base(path))
	}
	return path, true
}

// locateVersion looks for "3", "3.12" or "3.12.1".
func locateVersion(t *tree, version string, caller Caller) (string, error) {
	if isTooOld(version) {
		return "", tooOldRequest(t, version, version, caller)
	}
	names := []string{"python" + majorMinor(version), "python3"}
	for path := range installations(t, names, version, caller) {
		s, err := examine(t, path, caller)
		if err != nil {
			continue
		}
		if matchesVersion(s.layout.version, version) ||
			matchesVersion(version, s.layout.version) && s.layout.fullVersion(t) == version {
			return path, nil
		}
	}
	return "", notFound(t, version, caller, "no such version on PATH, below pyenv's or uv's versions, in /usr/local/bin or /usr/bin")
}

// notFound lists what could be named instead.
func notFound(t *tree, request string, caller Caller, reason string) *NotFoundError {
	e := &NotFoundError{Request: request, Reason: reason}
	const newestMinor = 30
	names := []string{"python3"}
	for n := newestMinor; n >= oldestMinor; n-- {
		names = append(names, fmt.Sprintf("python3.%d", n))
	}
	for path := range installations(t, names, "", caller) {
		if _, err := examine(t, path, caller); err == nil {
			e.Found = append(e.Found, path)
		}
	}
	return e
}

// tooOldRequest is why a request that names a version before the oldest is refused.
func tooOldRequest(t *tree, request, version string, caller Caller) error {
	e := notFound(t, request, caller, tooOld(version))
	e.TooOld = true
	return e
}

// examine reads what an executable is and refuses what is no CPython of the
// system's or the caller's own.
func examine(t *tree, executable string, caller Caller) (selection, error) {
	s := selection{executable: executable}
	v, err := venvOf(t, executable)
	if err != nil {
		return s, err
	}
	base, hint := executable, ""
	if v != nil {
		if base, err = v.base(t, executable); err != nil {
			return s, err
		}
		s.venv, hint = v, v.version
	}
	if s.layout, err = readLayout(t, base, hint); err != nil {
		return s, err
	}
	return s, s.layout.checkOwner(t, caller)
}
