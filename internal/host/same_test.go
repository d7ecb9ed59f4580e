package host

import (
	"os"
	"path/filepath"
	"testing"
)

func TestIsInterpreter(t *testing.T) {
	root, _ := fakePyenv(t, "3.12.1", "3.13.2")
	writeFile(t, filepath.Join(root, "version"), "3.13.2\n3.12.1\n")
	dir := t.TempDir()
	in := func(names ...string) string { return filepath.Join(append([]string{root}, names...)...) }
	alias := filepath.Join(dir, "python3")
	if err := os.Symlink(in("versions/3.12.1/bin/python"), alias); err != nil {
		t.Fatal(err)
	}
	venv := filepath.Join(dir, "venv")
	if err := os.MkdirAll(filepath.Join(venv, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(venv, "pyvenv.cfg"), "home = "+in("versions/3.12.1/bin")+"\nversion = 3.12.1\n")
	if err := os.Symlink(in("versions/3.12.1/bin/python3.12"), filepath.Join(venv, "bin/python")); err != nil {
		t.Fatal(err)
	}
	venvAlias := filepath.Join(dir, "alias")
	if err := os.Symlink("venv", venvAlias); err != nil {
		t.Fatal(err)
	}
	caller := Caller{UID: os.Geteuid(), Directory: dir, Env: map[string]string{"PATH": in("shims"), "PYENV_ROOT": root}}

	for request, same := range map[string]map[string]bool{
		"3.12": {
			in("versions/3.12.1/bin/python3.12"): true, in("versions/3.12.1/bin/python3"): true, in("shims/python3.12"): true, alias: true,
			in("versions/3.13.2/bin/python3"): false, in("shims/python3"): false, filepath.Join(venv, "bin/python"): false, "/nonexistent/python3": false,
		},
		"./venv": {
			filepath.Join(venv, "bin/python"): true, filepath.Join(venvAlias, "bin/python"): true,
			in("versions/3.12.1/bin/python3"): false, alias: false,
		},
	} {
		python, err := FindInterpreter(request, caller)
		if err != nil {
			t.Fatal(err)
		}
		for path, want := range same {
			if got := IsInterpreter(path, python, caller); got != want {
				t.Errorf("%s leads to %s (%s): %v", path, request, python.Executable, got)
			}
		}
	}
}
