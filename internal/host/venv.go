package host

import (
	"fmt"
	"path/filepath"
	"strings"
)

// venv is a virtual environment, as its pyvenv.cfg describes it
// (docs.python.org/3/library/venv.html).
type venv struct {
	dir     string // as the caller names it
	config  string // path of the pyvenv.cfg
	home    string // directory of the base interpreter's executable
	version string // "3.12", or empty where the file does not tell
	system  bool   // packages of the base are visible too
}

// maxVenvConfig bounds a file that may come from anywhere.
const maxVenvConfig = 64 << 10

// venvOf reads the virtual environment to which an executable belongs: CPython
// looks for pyvenv.cfg beside it and one directory above. It is nil for an
// executable of no environment.
func venvOf(t *tree, executable string) (*venv, error) {
	bin := filepath.Dir(executable)
	for _, dir := range []string{bin, filepath.Dir(bin)} {
		found, err := t.walk(filepath.Join(dir, "pyvenv.cfg"))
		if err != nil || !found.isFile() {
			continue
		}
		if found.stat.Size > maxVenvConfig {
			return nil, fmt.Errorf("read %s: it has %d bytes; a pyvenv.cfg is short", found.path, found.stat.Size)
		}
		t.watch(found.path)
		text, err := ReadBeginning(found.path, maxVenvConfig)
		if err != nil {
			return nil, fmt.Errorf("read the virtual environment: %w", err)
		}
		v := parseVenv(string(text))
		v.dir, v.config = filepath.Dir(bin), filepath.Join(dir, "pyvenv.cfg")
		if !filepath.IsAbs(v.home) {
			return nil, fmt.Errorf("read %s: home names no absolute directory; make the environment anew with python3 -m venv", found.path)
		}
		return &v, nil
	}
	return nil, nil
}

// parseVenv reads "key = value" lines as CPython does: keys without regard to
// case, the last one wins, other lines are ignored.
func parseVenv(text string) venv {
	var v venv
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			continue
		}
		value = strings.TrimSpace(value)
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "home":
			v.home = filepath.Clean(value)
		case "include-system-site-packages":
			v.system = strings.EqualFold(value, "true")
		case "version", "version_info": // venv writes the one, virtualenv and uv the other
			v.version = majorMinor(value)
		}
	}
	return v
}

// majorMinor returns "3.12" of "3.12.1", and nothing of what starts otherwise.
func majorMinor(version string) string {
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 || leadingNumber(parts[0]) < 0 || leadingNumber(parts[1]) < 0 {
		return ""
	}
	return fmt.Sprintf("%d.%d", leadingNumber(parts[0]), leadingNumber(parts[1]))
}

// base returns the executable on which the environment is built.
func (v *venv) base(t *tree, executable string) (string, error) {
	names := []string{filepath.Base(executable)}
	if v.version != "" {
		names = append(names, "python"+v.version)
	}
	names = append(names, "python3", "python")
	for _, name := range names {
		if path := filepath.Join(v.home, name); t.isFile(path) {
			return path, nil
		}
	}
	return "", &RefusedError{
		Path: executable, Kind: ErrBrokenVenv,
		Reason: fmt.Sprintf("its pyvenv.cfg says home = %s, where no python3 is; make the environment anew with python3 -m venv", v.home),
	}
}
