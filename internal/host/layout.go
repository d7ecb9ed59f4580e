package host

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// layout is where a CPython keeps its parts.
type layout struct {
	executable string // ELF file, without symlinks
	version    string // "3.12"
	name       string // of its directories: "python3.12", or "python3.13t"
	prefix     string // without symlinks
	stdlib     string // holds os.py
}

// oldestMinor is the oldest version of CPython 3 that is started.
const oldestMinor = 8

// readLayout finds out what the executable at path is from names and landmarks
// alone, as CPython's own getpath does. hint is the version if it is known
// otherwise ("3.12"), or empty.
func readLayout(t *tree, path, hint string) (layout, error) {
	found, err := t.walk(path)
	if err != nil {
		return layout{}, err
	}
	refuse := func(format string, args ...any) (layout, error) {
		return layout{}, &RefusedError{Path: path, Reason: fmt.Sprintf(format, args...), Kind: ErrNotCPython}
	}
	if !found.isFile() || found.stat.Mode&0o111 == 0 {
		return refuse("it is not an executable file")
	}
	t.watch(found.path)
	if _, err := readObject(found.path); err != nil {
		return refuse("it is not a program but a script or a file of another machine; name the interpreter that it starts")
	}
	names, ok := landmarkNames(filepath.Base(found.path), hint)
	if !ok {
		return refuse("a CPython is named python3 or python3.N, and this is %s", filepath.Base(found.path))
	}
	for prefix := filepath.Dir(found.path); ; prefix = filepath.Dir(prefix) {
		for _, lib := range []string{"lib", "lib64"} {
			dir := filepath.Join(prefix, lib)
			candidates := names
			if names == nil {
				candidates = pythonDirs(t, dir)
			}
			if l, ok := landmark(t, dir, candidates); ok {
				if isTooOld(l.version) {
					return refuse("%s", tooOld(l.version))
				}
				l.executable, l.prefix = found.path, prefix
				return l, nil
			}
		}
		// Higher up lie the libraries of others, to one of which a bare name would
		// fit.
		beside := prefix == filepath.Dir(filepath.Dir(found.path))
		if prefix == "/" || names == nil && beside {
			return refuse("no lib/pythonX.Y/os.py lies beside it, as beside a CPython 3")
		}
	}
}

// landmarkNames lists the names that the directory of the standard library may
// have, given the executable's name; none when that does not tell the version.
// It is false for a program of another name.
func landmarkNames(executable, hint string) ([]string, bool) {
	version, suffix, ok := parsePythonName(executable)
	switch {
	case ok && suffix != "": // python3.13t, python3.6m
		return []string{executable, "python" + version}, true
	case ok:
		return []string{executable}, true
	case executable != "python3" && executable != "python":
		return nil, false
	case hint != "":
		return []string{"python" + hint, "python" + hint + "t"}, true
	default:
		return nil, true
	}
}

func landmark(t *tree, dir string, names []string) (layout, bool) {
	for _, name := range names {
		version, _, ok := parsePythonName(name)
		if !ok {
			continue
		}
		stdlib, err := t.walk(filepath.Join(dir, name))
		if err == nil && t.isFile(filepath.Join(stdlib.path, "os.py")) {
			return layout{version: version, name: name, stdlib: stdlib.path}, true
		}
	}
	return layout{}, false
}

// pythonDirs lists the directories of lib that may be standard libraries, the
// newest version first.
func pythonDirs(t *tree, lib string) []string {
	var names []string
	for _, name := range listDir(t, lib) {
		if _, _, ok := parsePythonName(name); ok {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(x, y string) int { return compareVersions(y, x) })
	return names
}

// checkOwner refuses an installation that another user could have planted.
func (l layout) checkOwner(t *tree, caller Caller) error {
	for _, path := range []string{l.prefix, l.executable, l.stdlib} {
		found, err := t.walk(path)
		if err != nil {
			return err
		}
		if !caller.trusts(found.stat.Uid) {
			return &RefusedError{
				Path: path, Kind: ErrUntrusted,
				Reason: fmt.Sprintf("it belongs to uid %d; an interpreter must belong to root or to the caller (uid %d)", found.stat.Uid, caller.UID),
			}
		}
		if found.stat.Mode&0o002 != 0 && found.stat.Mode&unix.S_ISVTX == 0 {
			return &RefusedError{
				Path: path, Kind: ErrUntrusted,
				Reason: "every user can write to it; take that right away with chmod o-w",
			}
		}
	}
	return nil
}

// zip is where CPython looks for a standard library in one file.
func (l layout) zip() string {
	return filepath.Join(l.prefix, "lib", "python"+strings.ReplaceAll(l.version, ".", "")+".zip")
}
