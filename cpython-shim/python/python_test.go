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

func write(t *testing.T, dir string, files []File) {
	t.Helper()
	for _, file := range files {
		if err := os.WriteFile(filepath.Join(dir, file.Path), file.Content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// source is what the bytecode of a part is made of.
type source struct {
	part  part
	sum   uint32
	files []string // arguments of _build/bytecode.py
}

// sourcesOf writes the files of a guest without bytecode and returns the source of
// each part.
func sourcesOf(t *testing.T) []source {
	t.Helper()
	files, err := Guest{Version: "3.0", Client: true}.Files()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, dir, files)
	content := map[string][]byte{}
	for _, file := range files {
		content[file.Path] = file.Content
	}
	named := func(p part) string { return "sources" + string(p) }
	path := func(name string) string { return filepath.Join(dir, name) }
	return []source{
		{base, base.checksum(content[named(base)], content[start]), []string{path(named(base)), path(start)}},
		{client, client.checksum(content[named(client)], nil), []string{path(named(client))}},
	}
}

// compile returns what _build/bytecode.py makes of the source with python, as it is
// stored.
func (s source) compile(t *testing.T, python string) []byte {
	t.Helper()
	cmd := exec.Command(python, append([]string{"-I", "-S", "_build/bytecode.py"}, s.files...)...)
	cmd.Stderr = os.Stderr
	code, err := cmd.Output()
	if err != nil {
		t.Fatalf("compile with %s: %v", python, err)
	}
	return append(binary.BigEndian.AppendUint32(nil, s.sum), code...)
}

// store writes what has no bytecode of the source yet. Patch releases differ in the
// order of constants, so what is current stays.
func (s source) store(t *testing.T, python testenv.Python) {
	t.Helper()
	if s.part.bytecode(python.Name(), s.sum) != nil {
		return
	}
	name := filepath.Join("bytecode", s.part.bytecodeName(python.Name()))
	if err := os.WriteFile(name, s.compile(t, python.Path), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestBytecodeIsCurrent holds that all shipped bytecode is of the sources, and that
// there is some for every CPython found.
func TestBytecodeIsCurrent(t *testing.T) {
	pythons := testenv.Pythons(t)
	entries, err := compiled.ReadDir("bytecode")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sourcesOf(t) {
		for _, python := range pythons {
			if *update {
				s.store(t, python)
			} else if s.part.bytecode(python.Name(), s.sum) == nil {
				t.Errorf("there is no bytecode%s of these sources for %s; run go generate", s.part, python.Name())
			}
		}
		for _, entry := range entries {
			name := strings.TrimSuffix(entry.Name(), string(client))
			version := "3." + strings.TrimPrefix(name, "cpython-3")
			if !*update && s.part.bytecode(version, s.sum) == nil {
				t.Errorf("bytecode/%s%s is of other sources; run go generate with that CPython installed", name, s.part)
			}
		}
	}
}

// TestKnownBytecodeNeedsNoSources holds what a guest is given whose interpreter is
// known to take the bytecode, or is not.
func TestKnownBytecodeNeedsNoSources(t *testing.T) {
	magic := string(base.bytecode("3.11", sourcesOf(t)[0].sum)[:4])
	for _, test := range []struct {
		guest Guest
		want  string
	}{
		{Guest{Version: "3.11", Magic: magic}, "boot.py bytecode"},
		{Guest{Version: "3.11", Magic: magic, Client: true}, "boot.py bytecode bytecode.client"},
		{Guest{Version: "3.11"}, "boot.py start.py bytecode sources"},
		{Guest{Version: "3.11", Magic: "\x00\x00\r\n", Client: true}, "boot.py start.py bytecode bytecode.client sources sources.client"},
		{Guest{Version: "3.0", Magic: magic}, "boot.py start.py bytecode sources"},
	} {
		files, err := test.guest.Files()
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, file := range files {
			names = append(names, file.Path)
		}
		if got := strings.Join(names, " "); got != test.want {
			t.Errorf("%+v: got %s, not %s", test.guest, got, test.want)
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
				files, err := Guest{Version: version}.Files()
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
