package python

import (
	"encoding/binary"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

var update = flag.Bool("update", false, "compile the guest's package again with every CPython found")

// current returns the checksum of the sources, and the directory of the files of
// a guest without bytecode.
func current(t *testing.T) (sum uint32, dir string) {
	t.Helper()
	files, err := Files("3.0")
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	write(t, dir, files)
	return checksum(files[2].Content, files[1].Content), dir
}

func write(t *testing.T, dir string, files []File) {
	t.Helper()
	for _, file := range files {
		if err := os.WriteFile(filepath.Join(dir, file.Path), file.Content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// compile returns what _build/bytecode.py makes of the files in dir with python,
// as it is stored.
func compile(t *testing.T, python string, sum uint32, dir string) []byte {
	t.Helper()
	cmd := exec.Command(python, "-I", "-S", "_build/bytecode.py", filepath.Join(dir, "sources"), filepath.Join(dir, start))
	cmd.Stderr = os.Stderr
	code, err := cmd.Output()
	if err != nil {
		t.Fatalf("compile with %s: %v", python, err)
	}
	return append(binary.BigEndian.AppendUint32(nil, sum), code...)
}

// TestBytecodeIsCurrent holds that all shipped bytecode is of the sources, and that
// there is some for every CPython found.
func TestBytecodeIsCurrent(t *testing.T) {
	sum, dir := current(t)
	pythons := testenv.Pythons(t)
	if *update {
		for _, python := range pythons {
			name := filepath.Join("bytecode", bytecodeName(python.Name()))
			if bytecode(python.Name(), sum) != nil {
				continue // patch releases differ in the order of constants
			}
			if err := os.WriteFile(name, compile(t, python.Path, sum, dir), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return // the files in this binary are those of before
	}
	entries, err := compiled.ReadDir("bytecode")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		version := "3." + strings.TrimPrefix(entry.Name(), "cpython-3")
		if bytecode(version, sum) == nil {
			t.Errorf("bytecode/%s is of other sources; run go generate with that CPython installed", entry.Name())
		}
	}
	for _, python := range pythons {
		if bytecode(python.Name(), sum) == nil {
			t.Errorf("there is no bytecode for %s; run go generate", python.Name())
		}
	}
}

// TestBothFormsRun holds that the bootstrap takes the bytecode of its own
// interpreter, and the sources where there is none, or that of another.
func TestBothFormsRun(t *testing.T) {
	const probe = `
import pysandbox_guest._hook as h, sys
print(h.install.__code__.co_filename, h.__file__ if hasattr(h, "__file__") else "", sys.argv[1:])`
	for _, python := range testenv.Pythons(t) {
		for _, version := range []string{python.Name(), "3.0", other(python.Minor)} {
			t.Run(python.Name()+" "+version, func(t *testing.T) {
				dir := t.TempDir()
				files, err := Files(version)
				if err != nil {
					t.Fatal(err)
				}
				write(t, dir, append(files, File{"rules", nil}))
				cmd := exec.Command(python.Path, filepath.Join(dir, Boot), "code", "alone", probe, "word")
				cmd.ExtraFiles = []*os.File{os.Stdin} // where a guest has its channel
				out, err := cmd.CombinedOutput()
				place := dir
				if version == python.Name() {
					place = "/.pysandbox"
				}
				if want := place + "/pysandbox_guest/_hook.py  ['word']\n"; err != nil || string(out) != want {
					t.Errorf("got %s, %v, not %s", out, err, want)
				}
			})
		}
	}
}

// other is a version with bytecode that is not the one of minor.
func other(minor int) string {
	if minor == 9 {
		return "3.10"
	}
	return "3.9"
}
