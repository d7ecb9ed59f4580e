package supervisor

import (
	"bytes"
	"encoding/binary"
	"path/filepath"

	"github.com/pysandbox/pysandbox/internal/host"
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
	if c.recall.File == "" {
		return
	}
	directory, name := filepath.Split(c.recall.File)
	dir, err := host.MakeOwnDir(directory)
	if err != nil {
		return
	}
	defer dir.Close()
	_ = dir.Replace(name, append(bytes.Clone(c.recall.Header), made...))
}
