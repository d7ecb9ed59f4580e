// Package python holds the Python code that runs inside a sandbox beside the
// program: the bootstrap, and the package pysandbox_guest.
package python

import (
	"bytes"
	"embed"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"path"
	"strings"
)

//go:generate go test . -run ^TestBytecodeIsCurrent$ -update

//go:embed boot.py pysandbox_guest/*.py pysandbox_guest/_*.py
var guest embed.FS

// compiled holds, for each minor version of CPython and each part, the checksum of
// the source (CRC-32, 4 bytes, big-endian) and what _build/bytecode.py makes of it.
// To compile it at every start would take longer than all else that the guest does.
//
//go:embed bytecode
var compiled embed.FS

// File is one file, by its path below the directory of the bootstrap.
type File struct {
	Path    string
	Content []byte
}

// Boot is the path of the file that the interpreter is started with: boot.py, or a
// .pyc file of it, which CPython knows by its first bytes.
const Boot = "boot"

// part is what is compiled together. Its name ends those of its files.
type part string

const (
	boot   part = ".boot"   // boot.py
	base   part = ""        // what every guest needs of the package
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
	parts := []part{boot, base}
	if g.Client {
		parts = append(parts, client)
	}
	codes := make(map[part][]byte)
	known := g.Magic != ""
	for _, p := range parts {
		code, err := p.bytecode(g.Version)
		if err != nil {
			return nil, err
		}
		codes[p] = code
		known = known && strings.HasPrefix(string(code), g.Magic)
	}
	var files []File
	for _, p := range parts {
		if p != boot {
			files = append(files, File{"bytecode" + string(p), codes[p]})
		}
		switch {
		case !known:
			text, err := p.source()
			if err != nil {
				return nil, err
			}
			files = append(files, File{p.sourceName(), text})
		case p == boot:
			files = append(files, File{Boot, codes[boot]})
		}
	}
	return files, nil
}

// sourceName is the file of a guest that holds the part's source.
func (p part) sourceName() string {
	if p == boot {
		return Boot
	}
	return "sources" + string(p)
}

// source returns what the part is made of: boot.py, or the modules one after the
// other, before each a line with its name and its size in bytes.
func (p part) source() ([]byte, error) {
	var text bytes.Buffer
	err := p.writeSource(&text)
	return text.Bytes(), err
}

func (p part) writeSource(to io.Writer) error {
	if p == boot {
		return copyFile(to, "boot.py", "")
	}
	entries, err := guest.ReadDir("pysandbox_guest")
	if err != nil {
		return fmt.Errorf("list the guest's package: %w", err)
	}
	for _, entry := range entries {
		module := strings.TrimSuffix(entry.Name(), ".py")
		if !p.has(module) {
			continue
		}
		name := strings.TrimSuffix("pysandbox_guest."+module, ".__init__")
		if err := copyFile(to, path.Join("pysandbox_guest", entry.Name()), name); err != nil {
			return err
		}
	}
	return nil
}

// copyFile copies a file of the guest's, behind a line for the module that it is.
func copyFile(to io.Writer, name, module string) error {
	content, err := guest.ReadFile(name)
	if err != nil {
		return fmt.Errorf("read the guest's code: %w", err)
	}
	if module != "" {
		_, _ = fmt.Fprintf(to, "%s %d\n", module, len(content)) // to memory or a checksum: neither can fail
	}
	_, _ = to.Write(content)
	return nil
}

// bytecode returns the code of the part for a version, or nothing if there is none or
// if it was made of another source: then the guest compiles that itself.
func (p part) bytecode(version string) ([]byte, error) {
	content, err := compiled.ReadFile("bytecode/" + p.bytecodeName(version))
	if err != nil || len(content) < crc32.Size {
		return nil, nil
	}
	sum := crc32.NewIEEE()
	if err := p.writeSource(sum); err != nil {
		return nil, err
	}
	if binary.BigEndian.Uint32(content) != sum.Sum32() {
		return nil, nil
	}
	return content[crc32.Size:], nil
}

// bytecodeName is CPython's own tag for the version, as in its __pycache__, and the
// part.
func (p part) bytecodeName(version string) string {
	return "cpython-" + strings.ReplaceAll(version, ".", "") + string(p)
}
