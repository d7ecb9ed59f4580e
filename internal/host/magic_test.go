package host

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// TestMagicIsTheInterpretersOwn holds that what is read of a file is what the
// interpreter says of itself, and that nothing is said where there is no such file.
func TestMagicIsTheInterpretersOwn(t *testing.T) {
	for _, python := range testenv.Pythons(t) {
		found, err := FindInterpreter(python.Path, testCaller())
		if err != nil {
			t.Fatal(err)
		}
		own, err := exec.Command(python.Path, "-I", "-S", "-c",
			"import sys, importlib.util; sys.stdout.buffer.write(importlib.util.MAGIC_NUMBER)").Output()
		if err != nil {
			t.Fatal(err)
		}
		if found.Magic != string(own) {
			t.Errorf("%s: found %q, it says %q", python.Path, found.Magic, own)
		}
	}
}

// TestMagicOfAnotherBuildIsNotTaken holds that a file which the interpreter would not
// load says nothing, as where an older build's was left behind.
func TestMagicOfAnotherBuildIsNotTaken(t *testing.T) {
	l := layout{version: "3.11", stdlib: t.TempDir()}
	source := filepath.Join(l.stdlib, "os.py")
	compiled := filepath.Join(l.stdlib, "__pycache__", "os.cpython-311.pyc")
	if err := os.Mkdir(filepath.Dir(compiled), 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(source, "pass\n")
	made := time.Unix(0x5f000001, 0)
	if err := os.Chtimes(source, made, made); err != nil {
		t.Fatal(err)
	}
	const time, size = "\x01\x00\x00\x5f", "\x05\x00\x00\x00"
	for header, want := range map[string]string{
		"MMMM\x00\x00\x00\x00" + time + size + "code":      "MMMM",
		"MMMM\x00\x00\x00\x00" + time + "\x06\x00\x00\x00": "",
		"MMMM\x00\x00\x00\x00\x02\x00\x00\x5f" + size:      "",
		"MMMM\x01\x00\x00\x00" + time + size:               "", // of a checksum, which is not looked at
		"MMMM\x00\x00\x00\x00" + time:                      "",
		"":                                                 "",
	} {
		write(compiled, header)
		if got := l.magic(newTree()); got != want {
			t.Errorf("%q: got %q, not %q", header, got, want)
		}
	}
	for _, path := range []string{compiled, source} {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if got := l.magic(newTree()); got != "" {
			t.Errorf("without %s: got %q", path, got)
		}
	}
}
