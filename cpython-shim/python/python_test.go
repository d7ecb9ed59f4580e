package python

import (
	"encoding/binary"
	"flag"
	"fmt"
	"hash/crc32"
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

// parts are all parts, with the word by which _build/bytecode.py compiles each.
func parts() map[part]string {
	return map[part]string{boot: "program", base: "sources", client: "sources"}
}

// compile returns what _build/bytecode.py makes of the part with python, as it is
// stored.
func (p part) compile(t *testing.T, python string) []byte {
	t.Helper()
	text, err := p.source()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "source")
	write(t, filepath.Dir(file), []File{{filepath.Base(file), text}})
	cmd := exec.Command(python, "-I", "-S", "_build/bytecode.py", parts()[p], file)
	cmd.Stderr = os.Stderr
	code, err := cmd.Output()
	if err != nil {
		t.Fatalf("compile with %s: %v", python, err)
	}
	return append(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(text)), code...)
}

// hasBytecode is whether there is code of the part's source for a version.
func (p part) hasBytecode(t *testing.T, version string) bool {
	t.Helper()
	code, err := p.bytecode(version)
	if err != nil {
		t.Fatal(err)
	}
	return len(code) > 0
}

// TestBytecodeIsCurrent holds that all shipped bytecode is of the sources, and that
// there is some for every CPython found. Patch releases differ in the order of
// constants, so what is current stays when it is updated.
func TestBytecodeIsCurrent(t *testing.T) {
	entries, err := compiled.ReadDir("bytecode")
	if err != nil {
		t.Fatal(err)
	}
	versions := map[string]bool{}
	for _, entry := range entries {
		tag, _, _ := strings.Cut(entry.Name(), ".")
		versions["3."+strings.TrimPrefix(tag, "cpython-3")] = true
	}
	for _, python := range testenv.Pythons(t) {
		versions[python.Name()] = true
		for p := range parts() {
			if !*update || p.hasBytecode(t, python.Name()) {
				continue
			}
			name := filepath.Join("bytecode", p.bytecodeName(python.Name()))
			if err := os.WriteFile(name, p.compile(t, python.Path), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for version := range versions {
		for p := range parts() {
			if !*update && !p.hasBytecode(t, version) {
				t.Errorf("bytecode/%s is missing or of other sources; run go generate with CPython %s installed", p.bytecodeName(version), version)
			}
		}
	}
}

// TestKnownBytecodeNeedsNoSources holds what a guest is given whose interpreter is
// known to take the bytecode, or is not.
func TestKnownBytecodeNeedsNoSources(t *testing.T) {
	code, err := base.bytecode("3.11")
	if err != nil || len(code) < 4 {
		t.Fatalf("no bytecode for 3.11: %v", err)
	}
	magic := string(code[:4])
	for _, test := range []struct {
		guest Guest
		want  string
	}{
		{Guest{Version: "3.11", Magic: magic}, "boot bytecode"},
		{Guest{Version: "3.11", Magic: magic, Client: true}, "boot bytecode bytecode.client"},
		{Guest{Version: "3.11"}, "boot bytecode sources"},
		{Guest{Version: "3.11", Magic: "\x00\x00\r\n", Client: true}, "boot bytecode sources bytecode.client sources.client"},
		{Guest{Version: "3.0", Magic: magic}, "boot bytecode sources"},
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
		own, err := base.bytecode(python.Name())
		if err != nil || len(own) < 4 {
			t.Fatalf("no bytecode for %s: %v", python.Name(), err)
		}
		for _, guest := range []Guest{
			{Version: python.Name(), Magic: string(own[:4])}, // boot is a .pyc file
			{Version: python.Name()}, {Version: "3.0"}, {Version: other(python.Minor)},
		} {
			t.Run(fmt.Sprintf("%s as %+v", python.Name(), guest), func(t *testing.T) {
				dir := t.TempDir()
				files, err := guest.Files()
				if err != nil {
					t.Fatal(err)
				}
				write(t, dir, append(files, File{"rules", nil}))
				cmd := exec.Command(python.Path, filepath.Join(dir, Boot), "code", "alone", probe, "word")
				cmd.ExtraFiles = []*os.File{os.Stdin} // where a guest has its channel
				out, err := cmd.CombinedOutput()
				place := dir
				if guest.Version == python.Name() {
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
