package host

import (
	"path/filepath"
	"strings"
)

// magicSize is the number of bytes with which a .pyc file begins, and which change
// when the bytecode does (importlib.util.MAGIC_NUMBER).
const magicSize = 4

// magic returns with what the interpreter begins its bytecode, as it stands in a file
// of the standard library's (PEP 3147), or nothing where that is not compiled.
func (l layout) magic(t *tree) string {
	name := "os.cpython-" + strings.ReplaceAll(l.version, ".", "") + ".pyc"
	found, err := t.walk(filepath.Join(l.stdlib, "__pycache__", name))
	if err != nil || !found.isFile() {
		return ""
	}
	t.watch(found.path)
	begin, err := ReadBeginning(found.path, magicSize)
	if err != nil || len(begin) != magicSize {
		return ""
	}
	return string(begin)
}
