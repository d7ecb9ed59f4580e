package supervisor

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
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
	root, err := openOwn(directory)
	if err != nil {
		return
	}
	defer func() { _ = root.Close() }()
	draft := fmt.Sprintf("%s.%d", name, os.Getpid())
	err = writeNew(root, draft, append(bytes.Clone(c.recall.Header), made...))
	if err == nil {
		err = root.Rename(draft, name)
	}
	if err != nil {
		_ = root.Remove(draft)
	}
}

// openOwn makes and opens a directory that no other user can look into. One that
// is somebody else's is refused: HOME may be anywhere.
func openOwn(directory string) (*os.Root, error) {
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(directory)
	if err != nil {
		return nil, err
	}
	info, err := root.Stat(".")
	if err == nil {
		owner, ok := info.Sys().(*syscall.Stat_t)
		if !ok || int(owner.Uid) != os.Geteuid() || info.Mode().Perm()&0o077 != 0 {
			err = os.ErrPermission
		}
	}
	if err != nil {
		_ = root.Close()
		return nil, err
	}
	return root, nil
}

// writeNew writes a file that is not there yet, so that nothing is followed. What a
// killed run has left under its process id is in the way once.
func writeNew(root *os.Root, name string, content []byte) error {
	file, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	return errors.Join(err, file.Close())
}
