package host

import (
	"encoding/binary"
	"path/filepath"
	"strings"
)

// A .pyc file begins with the magic number of its bytecode
// (importlib.util.MAGIC_NUMBER), flags, and the time and size of its source, each of
// four bytes, little endian (PEP 552).
const (
	magicSize  = 4
	headerSize = 16
)

// magic returns with what the interpreter begins its bytecode, as it stands in a file
// of the standard library's (PEP 3147). It is empty where that is not compiled, or was
// by another build: what the interpreter would not load says nothing of it.
func (l layout) magic(t *tree) string {
	name := "os.cpython-" + strings.ReplaceAll(l.version, ".", "") + ".pyc"
	found, err := t.walk(filepath.Join(l.stdlib, "__pycache__", name))
	if err != nil || !found.isFile() {
		return ""
	}
	source, err := t.walk(filepath.Join(l.stdlib, "os.py"))
	if err != nil {
		return ""
	}
	t.watch(found.path)
	t.watch(source.path)
	header, err := ReadBeginning(found.path, headerSize)
	if err != nil || len(header) != headerSize {
		return ""
	}
	word := func(i int) uint32 { return binary.LittleEndian.Uint32(header[4*i:]) }
	if word(1) != 0 || word(2) != uint32(source.stat.Mtim.Sec) || word(3) != uint32(source.stat.Size) {
		return ""
	}
	return string(header[:magicSize])
}
