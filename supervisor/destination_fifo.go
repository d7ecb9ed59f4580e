package supervisor

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/fifo"
)

// openUnwaiting opens a file for writing, and waits for the reader of a FIFO no longer
// than fifo.Patience.
func openUnwaiting(path string, flags int) (file *os.File, err error) {
	err = fifo.AwaitReader(func() error {
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

// noReader says what the error ENXIO of open(2) means for path.
func noReader(path string) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.Mode()&os.ModeSocket != 0:
		return fmt.Errorf("open %s for writing: it is a socket; pass a connected one as fd:N", path)
	case err == nil && info.Mode()&os.ModeCharDevice != 0:
		return fmt.Errorf("open %s for writing: there is no such device here, as /dev/tty without a terminal", path)
	}
	return fmt.Errorf("open %s for writing: no process reads this FIFO; start its reader first", path)
}
