package supervisor

import (
	"bytes"
	"encoding/binary"
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
	// One name, so that killed runs leave one file. Two that write at once make a
	// memo that is wrong, which the next run finds out.
	draft := file + ".new"
	err := os.WriteFile(draft, append(bytes.Clone(c.recall.Header), made...), 0o600)
	if err == nil {
		err = os.Rename(draft, file)
	}
	if err != nil {
		_ = os.Remove(draft)
	}
}
