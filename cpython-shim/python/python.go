// Package python holds the Python code that runs inside a sandbox beside the
// program: the bootstrap, and the package pysandbox_guest.
package python

import (
	"embed"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"path"
	"strings"
)

//go:generate go test . -run ^TestBytecodeIsCurrent$ -update

//go:embed boot.py start.py pysandbox_guest/*.py pysandbox_guest/_*.py
var guest embed.FS

// compiled holds, for each minor version of CPython, the checksum of the sources
// (CRC-32, 4 bytes, big-endian) and what _build/bytecode.py makes of them. To
// compile them at every start would take longer than all else that the guest does.
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

// Files returns the files that a guest needs whose interpreter has the version
// ("3.12"): the bootstrap, the sources, and their bytecode, which is empty where
// there is none.
func Files(version string) ([]File, error) {
	var files []File
	for _, name := range []string{Boot, start} {
		content, err := guest.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read the bootstrap: %w", err)
		}
		files = append(files, File{name, content})
	}
	text, err := sources()
	if err != nil {
		return nil, err
	}
	code := bytecode(version, checksum(text, files[1].Content))
	return append(files, File{"sources", text}, File{"bytecode", code}), nil
}

// sources returns the modules of the package one after the other, before each a
// line with its name and its size in bytes.
func sources() ([]byte, error) {
	entries, err := guest.ReadDir("pysandbox_guest")
	if err != nil {
		return nil, fmt.Errorf("list the guest's package: %w", err)
	}
	var text []byte
	for _, entry := range entries {
		content, err := guest.ReadFile(path.Join("pysandbox_guest", entry.Name()))
		if err != nil {
			return nil, fmt.Errorf("read the guest's package: %w", err)
		}
		name := "pysandbox_guest." + strings.TrimSuffix(entry.Name(), ".py")
		text = fmt.Appendf(text, "%s %d\n", strings.TrimSuffix(name, ".__init__"), len(content))
		text = append(text, content...)
	}
	return text, nil
}

// checksum is the one of the sources and of start.py.
func checksum(sources, start []byte) uint32 {
	return crc32.Update(crc32.ChecksumIEEE(sources), crc32.IEEETable, start)
}

// bytecode returns the code of the sources for a version, or nil if there is none
// or if it was made of other sources: then the guest compiles them itself.
func bytecode(version string, sum uint32) []byte {
	content, err := compiled.ReadFile("bytecode/" + bytecodeName(version))
	if err != nil || len(content) < 4 || binary.BigEndian.Uint32(content) != sum {
		return nil
	}
	return content[4:]
}

// bytecodeName is CPython's own tag for the version, as in its __pycache__.
func bytecodeName(version string) string {
	return "cpython-" + strings.ReplaceAll(version, ".", "")
}
