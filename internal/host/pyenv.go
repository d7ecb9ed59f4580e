package host

import (
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// pyenv is an installation of pyenv. Its shims are shell scripts that choose a
// version by files and variables; the same choice is made here by reading them
// as text, and no script is run.
type pyenv struct {
	root string
}

// pyenvOfShim returns the installation to which a file found on PATH belongs,
// if that file is a shim.
func pyenvOfShim(t *tree, path string) (pyenv, bool) {
	dir := filepath.Dir(path)
	root := filepath.Dir(dir)
	if filepath.Base(dir) != "shims" || !t.isDir(filepath.Join(root, "versions")) {
		return pyenv{}, false
	}
	return pyenv{root: root}, true
}

// pyenvs returns the installations that the caller's environment names.
func pyenvs(caller Caller) []pyenv {
	var found []pyenv
	if root := caller.Env["PYENV_ROOT"]; filepath.IsAbs(root) {
		found = append(found, pyenv{root: filepath.Clean(root)})
	}
	if home := caller.Env["HOME"]; filepath.IsAbs(home) {
		if own := (pyenv{root: filepath.Join(home, ".pyenv")}); !slices.Contains(found, own) {
			found = append(found, own)
		}
	}
	return found
}

// installed lists the names below versions, the newest first.
func (p pyenv) installed(t *tree) []string {
	names := listDir(t, filepath.Join(p.root, "versions"))
	slices.SortFunc(names, func(x, y string) int { return compareVersions(y, x) })
	return names
}

// program returns the file that the shim of a name stands for. It is false when
// the chosen versions do not have it, or leave the choice to PATH ("system").
func (p pyenv) program(t *tree, caller Caller, name string) (string, bool) {
	for _, version := range p.chosen(t, caller) {
		if version == "system" {
			return "", false
		}
		if path := p.executable(version, name); t.isFile(path) {
			return path, true
		}
	}
	return "", false
}

func (p pyenv) executable(version, name string) string {
	return filepath.Join(p.root, "versions", version, "bin", name)
}

// chosen lists the versions that apply: those of PYENV_VERSION, else of the
// nearest .python-version from the working directory upwards, else of the
// installation's own version file. A prefix stands for the newest release that
// it begins.
func (p pyenv) chosen(t *tree, caller Caller) []string {
	words := strings.Split(caller.Env["PYENV_VERSION"], ":")
	if words[0] == "" {
		words = p.versionFile(t, caller)
	}
	var versions []string
	for _, word := range words {
		if word = strings.TrimPrefix(word, "python-"); safeVersion(word) {
			versions = append(versions, p.complete(t, word))
		}
	}
	return versions
}

func (p pyenv) versionFile(t *tree, caller Caller) []string {
	for dir := caller.Directory; filepath.IsAbs(dir); dir = filepath.Dir(dir) {
		if words := readWords(t, filepath.Join(dir, ".python-version")); words != nil {
			return words
		}
		if dir == "/" {
			break
		}
	}
	return readWords(t, filepath.Join(p.root, "version"))
}

func (p pyenv) complete(t *tree, version string) string {
	if version == "system" || t.isDir(filepath.Join(p.root, "versions", version)) {
		return version
	}
	for _, name := range p.installed(t) {
		if matchesVersion(name, version) {
			return name
		}
	}
	return version
}

// maxVersionFile bounds a file that may come from anywhere.
const maxVersionFile = 4096

// readWords returns the words of a version file; comments start at "#".
func readWords(t *tree, path string) []string {
	found, err := t.walk(path)
	if err != nil || !found.isFile() {
		return nil
	}
	text, err := readSmall(unix.AT_FDCWD, found.path, maxVersionFile)
	if err != nil {
		return nil
	}
	var words []string
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		words = append(words, strings.Fields(line)...)
	}
	return words
}

// safeVersion refuses names that would leave the directory of versions.
func safeVersion(name string) bool {
	return name != "" && name[0] != '.' && !strings.ContainsAny(name, "/\x00")
}
