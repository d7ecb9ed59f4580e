// Package python holds the Python code that runs inside a sandbox beside the
// program: the bootstrap, and the package pysandbox_guest.
package python

import (
	"embed"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"path"
	"slices"
	"strings"
)

//go:generate go test . -run ^TestBytecodeIsCurrent$ -update

//go:embed boot.py start.py pysandbox_guest/*.py pysandbox_guest/_*.py
var guest embed.FS

// compiled holds, for each minor version of CPython and each part, the checksum of
// the sources (CRC-32, 4 bytes, big-endian) and what _build/bytecode.py makes of them.
// To compile them at every start would take longer than all else that the guest does.
//
//go:embed bytecode
var compiled embed.FS

// File is one file, by its path below the directory of the bootstrap.
type File struct {
	Path    string
	Content []byte
}

// Boot is the path of the file that the interpreter is started with.
const Boot = "boot.py"

// start is the path of the file that Boot runs, from bytecode if it can.
const start = "start.py"

// part is what a guest gets of the package together. Its name ends those of its files.
type part string

const (
	base   part = ""        // what every guest needs, and start.py
	client part = ".client" // what talks to a client, too
)

// has is whether a module of the package belongs to the part.
func (p part) has(module string) bool {
	switch module {
	case "__init__", "_bootstrap", "_codec", "_hook", "_place", "_rules":
		return p == base
	default:
		return p == client
	}
}

// Guest says what is to run inside.
type Guest struct {
	Version string // of its CPython ("3.12")
	Magic   string // with which that begins its bytecode, 4 bytes; empty: not known
	Client  bool   // it has a client
}

// Files returns the files that a guest needs: the bootstrap, and the package as
// bytecode; also as sources, unless it is known that the interpreter takes the
// bytecode, which is empty where there is none.
func (g Guest) Files() ([]File, error) {
	files := make([]File, 2)
	for i, name := range []string{Boot, start} {
		content, err := guest.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read the bootstrap: %w", err)
		}
		files[i] = File{name, content}
	}
	parts := []part{base}
	if g.Client {
		parts = append(parts, client)
	}
	var codes, texts []File
	known := g.Magic != ""
	for _, p := range parts {
		text, err := p.sources()
		if err != nil {
			return nil, err
		}
		code := p.bytecode(g.Version, p.checksum(text, files[1].Content))
		known = known && strings.HasPrefix(string(code), g.Magic)
		codes = append(codes, File{"bytecode" + string(p), code})
		texts = append(texts, File{"sources" + string(p), text})
	}
	if known {
		return append(files[:1], codes...), nil
	}
	return slices.Concat(files, codes, texts), nil
}

// sources returns the modules of the part one after the other, before each a line
// with its name and its size in bytes.
func (p part) sources() ([]byte, error) {
	entries, err := guest.ReadDir("pysandbox_guest")
	if err != nil {
		return nil, fmt.Errorf("list the guest's package: %w", err)
	}
	var text []byte
	for _, entry := range entries {
		module := strings.TrimSuffix(entry.Name(), ".py")
		if !p.has(module) {
			continue
		}
		content, err := guest.ReadFile(path.Join("pysandbox_guest", entry.Name()))
		if err != nil {
			return nil, fmt.Errorf("read the guest's package: %w", err)
		}
		name := strings.TrimSuffix("pysandbox_guest."+module, ".__init__")
		text = fmt.Appendf(text, "%s %d\n", name, len(content))
		text = append(text, content...)
	}
	return text, nil
}

// checksum is the one of what the part's bytecode is made of: its sources and, for
// the base, start.py.
func (p part) checksum(sources, start []byte) uint32 {
	sum := crc32.ChecksumIEEE(sources)
	if p == base {
		sum = crc32.Update(sum, crc32.IEEETable, start)
	}
	return sum
}

// bytecode returns the code of the part for a version, or nil if there is none or if
// it was made of other sources: then the guest compiles them itself.
func (p part) bytecode(version string, sum uint32) []byte {
	content, err := compiled.ReadFile("bytecode/" + p.bytecodeName(version))
	if err != nil || len(content) < 4 || binary.BigEndian.Uint32(content) != sum {
		return nil
	}
	return content[4:]
}

// bytecodeName is CPython's own tag for the version, as in its __pycache__, and the
// part.
func (p part) bytecodeName(version string) string {
	return "cpython-" + strings.ReplaceAll(version, ".", "") + string(p)
}
