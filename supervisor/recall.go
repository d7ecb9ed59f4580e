package supervisor

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
)

// memo is what a later run with the same command line may begin with: the
// sources to open and the encoded plan. cpython-shim/begin.h has its form, but for
// the header, which the constructor provides.
func memo(sources []source, plan []byte) []byte {
	out := binary.LittleEndian.AppendUint32(nil, uint32(len(sources)))
	for _, s := range sources {
		var mapped uint32
		if s.Map {
			mapped = 1
		}
		for _, field := range []uint32{mapped, s.UID, s.GID, uint32(len(s.Path) + 1)} {
			out = binary.LittleEndian.AppendUint32(out, field)
		}
		out = append(append(out, s.Path...), 0)
	}
	return append(out, plan...)
}

// recalled is whether the stage has been given the plan already: what was guessed
// before this plan was made is the same.
func (c *child) recalled(made []byte) bool {
	return c.recall.Sent && bytes.Equal(c.recall.Memo, made)
}

// keep keeps a memo for the next run, where that is possible: it saves time and
// nothing else. It must be called with the rights of the caller.
func (c *child) keep(made []byte) {
	file := c.recall.File
	if file == "" {
		return
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return
	}
	draft := fmt.Sprintf("%s.%d", file, os.Getpid())
	content := append(bytes.Clone(c.recall.Header), made...)
	if err := os.WriteFile(draft, content, 0o600); err != nil {
		return
	}
	if err := os.Rename(draft, file); err != nil {
		_ = os.Remove(draft)
	}
}
