package host

import (
	"bytes"
	"iter"
	"path/filepath"
	"slices"
	"strings"
)

// installations yields the files of these names that may be interpreters, in the
// order of preference and each once: PATH, pyenv's and uv's versions, the
// system's directories. Versions whose directory names another one than asked
// for are left out.
func installations(t *tree, names []string, version string, caller Caller) iter.Seq[string] {
	return func(yield func(string) bool) {
		seen := make(map[string]bool)
		for path := range candidates(t, names, version, caller) {
			found, err := t.walk(path)
			if err != nil || !found.isFile() || seen[found.path] || isOtherVersion(found.path, version) {
				continue
			}
			seen[found.path] = true
			if !yield(path) {
				return
			}
		}
	}
}

// isOtherVersion says whether a file has the name of another version than the
// one asked for.
func isOtherVersion(path, version string) bool {
	named, _, ok := parsePythonName(filepath.Base(path))
	return ok && !matchesVersion(named, version) && !matchesVersion(version, named)
}

// candidates yields the paths at which installations looks.
func candidates(t *tree, names []string, version string, caller Caller) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, dir := range append(caller.searchPath(), "/usr/local/bin", "/usr/bin") {
			for _, name := range names {
				path, ok := throughShim(t, filepath.Join(dir, name), caller)
				if ok && !yield(path) {
					return
				}
			}
		}
		for _, p := range pyenvs(caller) {
			for _, name := range p.installed(t) {
				if isDigit(name[0]) && !matchesVersion(name, version) {
					continue
				}
				if !yield(p.executable(name, "python3")) {
					return
				}
			}
		}
		for _, dir := range uvVersions(t, caller) {
			if !yield(filepath.Join(dir, "bin", "python3")) {
				return
			}
		}
	}
}

// uvVersions lists the installations of uv, the newest first
// (docs.astral.sh/uv/concepts/python-versions).
func uvVersions(t *tree, caller Caller) []string {
	dir := caller.Env["UV_PYTHON_INSTALL_DIR"]
	if dir == "" {
		data := caller.Env["XDG_DATA_HOME"]
		if data == "" {
			data = filepath.Join(caller.Env["HOME"], ".local", "share")
		}
		dir = filepath.Join(data, "uv", "python")
	}
	if !filepath.IsAbs(dir) {
		return nil
	}
	var dirs []string
	for _, name := range listDir(t, dir) {
		if strings.HasPrefix(name, "cpython-") {
			dirs = append(dirs, filepath.Join(dir, name))
		}
	}
	slices.SortFunc(dirs, func(x, y string) int { return compareVersions(y, x) })
	return dirs
}

// maxProgram bounds the file that is searched for its version, and maxHeader that of
// its headers that tells of it.
const (
	maxProgram = 256 << 20
	maxHeader  = 1 << 20
)

// fullVersion returns "3.12.1", or "3.12" where that cannot be told: it reads the
// version from the headers, and without them from the constant that
// Py_GetVersion returns.
func (l layout) fullVersion(t *tree) string {
	header := filepath.Join(l.prefix, "include", l.name, "patchlevel.h")
	if text, err := ReadBeginning(header, maxHeader); err == nil {
		for line := range strings.Lines(string(text)) {
			if words := strings.Fields(line); len(words) == 3 && words[0] == "#define" && words[1] == "PY_VERSION" {
				return strings.Trim(words[2], `"`)
			}
		}
	}
	files := []string{l.executable}
	for _, suffix := range []string{".so.1.0", ".so.1"} {
		library, err := t.walk(filepath.Join(l.prefix, "lib", "lib"+l.name+suffix))
		if err == nil && library.stat.Size < maxProgram {
			files = append(files, library.path)
		}
	}
	for _, file := range files {
		if version := versionConstant(file, l.version); version != "" {
			return version
		}
	}
	return l.version
}

// versionConstant searches a binary for PY_VERSION, a string of its own that
// begins with the version already known.
func versionConstant(path, version string) string {
	data, err := ReadBeginning(path, maxProgram)
	if err != nil {
		return ""
	}
	start := []byte("\x00" + version + ".")
	for {
		i := bytes.Index(data, start)
		if i < 0 {
			return ""
		}
		data = data[i+1:]
		const longest = 20
		end := bytes.IndexByte(data[:min(longest, len(data))], 0)
		if end > len(version)+1 && isDigit(data[len(version)+1]) {
			return string(data[:end])
		}
	}
}
