package host

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// installations lists the files of these names that may be interpreters, in the
// order of preference and each once: PATH, pyenv's and uv's versions, the
// system's directories.
func installations(t *tree, names []string, caller Caller) []string {
	var candidates []string
	for _, dir := range append(caller.searchPath(), "/usr/local/bin", "/usr/bin") {
		for _, name := range names {
			if path, ok := throughShim(t, filepath.Join(dir, name), caller); ok {
				candidates = append(candidates, path)
			}
		}
	}
	for _, p := range pyenvs(caller) {
		for _, version := range p.installed(t) {
			candidates = append(candidates, p.executable(version, "python3"))
		}
	}
	for _, dir := range uvVersions(t, caller) {
		candidates = append(candidates, filepath.Join(dir, "bin", "python3"))
	}
	var paths []string
	seen := make(map[string]bool)
	for _, path := range candidates {
		found, err := t.walk(path)
		if err == nil && found.isFile() && !seen[found.path] {
			seen[found.path] = true
			paths = append(paths, path)
		}
	}
	return paths
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

// maxProgram bounds the file that is searched for its version.
const maxProgram = 256 << 20

// fullVersion returns "3.12.1", or "3.12" where that cannot be told: it reads the
// version from the headers, and without them from the constant that
// Py_GetVersion returns.
func (l layout) fullVersion(t *tree) string {
	header := filepath.Join(l.prefix, "include", l.name, "patchlevel.h")
	if text, err := os.ReadFile(header); err == nil {
		constant := regexp.MustCompile(`(?m)^#define\s+PY_VERSION\s+"([^"]+)"`)
		if match := constant.FindSubmatch(text); match != nil {
			return string(match[1])
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
	data, err := os.ReadFile(path)
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
