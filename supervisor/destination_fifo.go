package supervisor

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// readerPatience is how long the reader of a FIFO may take to open it: a shell starts
// it beside pysandbox, as in `cat fifo & pysandbox ...`.
const readerPatience = time.Second

// openUnwaiting opens a file for writing, and waits for the reader of a FIFO no longer
// than readerPatience.
func openUnwaiting(path string, flags int) (file *os.File, err error) {
	err = awaitReader(func() error {
		file, err = os.OpenFile(path, flags|unix.O_NONBLOCK|unix.O_NOCTTY, reportMode)
		return err
	})
	switch {
	case errors.Is(err, unix.ENXIO):
		return nil, noReader(path)
	case err != nil:
		return nil, fmt.Errorf("open %s for writing: %w", path, withoutPath(err))
	}
	return file, nil
}

// awaitReader opens with O_NONBLOCK, again and again while a FIFO has no reader
// (ENXIO, open(2)), of whose coming the kernel does not tell.
func awaitReader(open func() error) error {
	const pause = 10 * time.Millisecond
	for begun := time.Now(); ; {
		err := open()
		if !errors.Is(err, unix.ENXIO) || time.Since(begun) > readerPatience {
			return err
		}
		<-time.After(pause)
	}
}

// noReader says what the error ENXIO of open(2) means for path.
func noReader(path string) error {
	if info, err := os.Stat(path); err == nil && info.Mode()&os.ModeSocket != 0 {
		return fmt.Errorf("open %s for writing: it is a socket; pass a connected one as fd:N", path)
	}
	return fmt.Errorf("open %s for writing: no process reads this FIFO; start its reader first", path)
}
