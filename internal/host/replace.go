package host

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"

	"golang.org/x/sys/unix"
)

// ReplaceFile writes a file of dir whole or not at all: a reader sees the old content or
// the new. A name of its own, beside name, has the new content only when it is complete;
// a run that is killed before leaves nothing.
func ReplaceFile(dir *os.Root, name string, mode fs.FileMode, content []byte) error {
	draft := draftName()
	err := linkNew(dir, draft, mode, content)
	if err != nil { // a file system without nameless files, such as NFS
		err = writeNew(dir, draft, mode, content)
	}
	if err == nil {
		err = dir.Rename(draft, name)
	}
	if err != nil {
		_ = dir.Remove(draft)
	}
	return err
}

// CanReplace is nil if a new file can be made in dir.
func CanReplace(dir *os.Root, mode fs.FileMode) error {
	if file, err := nameless(dir, mode); err == nil {
		return file.Close()
	}
	draft := draftName()
	if err := writeNew(dir, draft, mode, nil); err != nil {
		return err
	}
	return dir.Remove(draft)
}

// draftName differs between runs, and fits where the name that it is to have does.
func draftName() string { return fmt.Sprintf(".pysandbox-%016x", rand.Uint64()) }

// nameless makes a file that is gone when it is closed: open(2), O_TMPFILE.
func nameless(dir *os.Root, mode fs.FileMode) (*os.File, error) {
	return dir.OpenFile(".", unix.O_TMPFILE|os.O_WRONLY, mode)
}

// linkNew makes a file that has its name when it has its content.
func linkNew(dir *os.Root, name string, mode fs.FileMode, content []byte) error {
	at, err := dir.Open(".")
	if err != nil {
		return err
	}
	defer at.Close()
	file, err := nameless(dir, mode)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := file.Write(content); err != nil {
		return err
	}
	from := fmt.Sprintf("/proc/self/fd/%d", file.Fd())
	return unix.Linkat(unix.AT_FDCWD, from, int(at.Fd()), name, unix.AT_SYMLINK_FOLLOW)
}

// writeNew makes a file that must not be there yet, so that nothing is followed.
func writeNew(dir *os.Root, name string, mode fs.FileMode, content []byte) error {
	file, err := dir.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	return errors.Join(err, file.Close())
}
