package document

import (
	"bytes"
	"path/filepath"
)

// MaxSize is the size beyond which a text is not read, in bytes.
const MaxSize = 1 << 20

// Parse reads a document. A name that ends in .json or .toml decides what it
// is; otherwise a text that begins with "{" is JSON. The tree holds all that
// could be read, whatever the errors, which are *Error in order of position.
func Parse(name string, data []byte) (*Node, []*Error) {
	if len(data) > MaxSize {
		return newTable(Position{1, 1}), []*Error{{Position{1, 1}, "a policy has at most 1 MiB", true}}
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // as editors of Windows write it
	switch filepath.Ext(name) {
	case ".json":
		return parseJSON(data)
	case ".toml":
		return parseTOML(data)
	}
	if bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{")) {
		return parseJSON(data)
	}
	return parseTOML(data)
}

func newTable(at Position) *Node { return &Node{Kind: Table, Position: at} }
