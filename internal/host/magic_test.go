package host

import (
	"os/exec"
	"testing"

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
	if got := (layout{version: "3.11", stdlib: t.TempDir()}).magic(newTree()); got != "" {
		t.Errorf("an empty library gives %q", got)
	}
}
