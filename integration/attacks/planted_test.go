package attacks

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// planted is an interpreter from a stranger that would leave a mark on the host
// if anything of it ran there.
type planted struct {
	python string // what --python is given
	bare   []string
	mark   string
}

// TestInterpretersAreNotRunOutside names interpreters from a stranger: finding
// out what they are must not execute them.
func TestInterpretersAreNotRunOutside(t *testing.T) {
	needWorld(t)
	testenv.Need(t, testenv.Compiler)
	for name, plant := range map[string]func(*testing.T, string) planted{
		"pth": plantPth, "script": plantScript, "loader": plantLoader,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, who := range []account{root(), user()} {
				p := plant(t, markedDir(t))
				for _, args := range [][]string{
					{"explain", "--python=" + p.python},
					{"exec", "--python=" + p.python, "-c", "pass"},
					{"exec", "--python=" + p.python, "--allow-spawn", "-c", "pass"},
					{"exec", "--", p.python, "-c", "pass"},
				} {
					output := runOnce(t, who, args...)
					if _, err := os.Lstat(p.mark); err == nil {
						t.Errorf("%s: pysandbox %q ran it:\n%s", who.name, args, output)
					}
				}
				_ = testenv.RunAs(t, user().uid, exec.Command(p.bare[0], p.bare[1:]...)).Run()
				if _, err := os.Lstat(p.mark); err != nil {
					t.Errorf("control: running it leaves no mark: %v", err)
				}
			}
		})
	}
}

// markedDir is a directory in which everyone may leave the mark.
func markedDir(t *testing.T) string {
	t.Helper()
	dir := testenv.WorldDir(t)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}

// plantPth is a virtual environment with a line of code in its site-packages,
// which each start of its interpreter runs (site, the standard library).
func plantPth(t *testing.T, dir string) planted {
	t.Helper()
	venv := filepath.Join(dir, "venv")
	if out, err := exec.Command(debianPython, "-m", "venv", "--without-pip", venv).CombinedOutput(); err != nil {
		t.Fatalf("make a venv: %v\n%s", err, out)
	}
	packages, err := filepath.Glob(filepath.Join(venv, "lib/python3.*/site-packages"))
	if err != nil || len(packages) != 1 {
		t.Fatalf("site-packages of the venv: %v %v", packages, err)
	}
	mark := filepath.Join(dir, "mark")
	line := fmt.Sprintf("import os; open(%q, 'w')\n", mark)
	if err := os.WriteFile(filepath.Join(packages[0], "evil.pth"), []byte(line), 0o644); err != nil {
		t.Fatal(err)
	}
	return planted{venv, []string{filepath.Join(venv, "bin/python"), "-c", "pass"}, mark}
}

// plantScript is a shell script by the name of an interpreter.
func plantScript(t *testing.T, dir string) planted {
	t.Helper()
	path, mark := filepath.Join(dir, "python3.11"), filepath.Join(dir, "mark")
	if err := os.WriteFile(path, []byte("#!/bin/sh\necho > "+mark+"\necho Python 3.11.2\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return planted{path, []string{path}, mark}
}

// plantLoader is a program that asks for a loader of its own, which ldd(1) runs.
func plantLoader(t *testing.T, dir string) planted {
	t.Helper()
	loader, path, mark := filepath.Join(dir, "loader"), filepath.Join(dir, "python3.11"), filepath.Join(dir, "mark")
	for _, args := range [][]string{
		{"-O2", "-static", "-nostdlib", "-DMARK=\"" + mark + "\"", "-o", loader, "testdata/mark.c"},
		{"-O2", "-o", path, "testdata/tool.c", "-Wl,--dynamic-linker=" + loader},
	} {
		if out, err := exec.Command("cc", args...).CombinedOutput(); err != nil {
			t.Fatalf("compile: %v\n%s", err, out)
		}
	}
	return planted{path, []string{path}, mark}
}
