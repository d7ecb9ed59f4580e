package fifo

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// AwaitReader calls open, which opens a file for writing with O_NONBLOCK, again and
// again while that is a FIFO without a reader (ENXIO, open(2)): the kernel does not tell
// of one that comes. It gives up with ENXIO after Patience.
func AwaitReader(open func() error) error {
	const pause = 10 * time.Millisecond
	for begun := time.Now(); ; {
		err := open()
		if !errors.Is(err, unix.ENXIO) || time.Since(begun) > Patience {
			return err
		}
		<-time.After(pause)
	}
}
