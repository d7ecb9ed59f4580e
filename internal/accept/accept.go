// Package accept waits for connections also where descriptors or memory run out for a
// while: clients must not end a service. It must not know what is served.
package accept

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// breath is how long nothing is accepted once something has run out.
const breath = 50 * time.Millisecond

// Next returns the next connection that accept gives. While something has run out that
// is given back again (accept(2): EMFILE, ENFILE, ENOBUFS, ENOMEM), connections wait in
// the kernel's queue. Any other error of accept's is returned as it is, and one of those
// where ctx is done.
func Next[C any](ctx context.Context, accept func() (C, error)) (C, error) {
	for {
		conn, err := accept()
		if !exhausted(err) || ctx.Err() != nil {
			return conn, err
		}
		select {
		case <-time.After(breath):
		case <-ctx.Done():
		}
	}
}

func exhausted(err error) bool {
	return errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) ||
		errors.Is(err, unix.ENOBUFS) || errors.Is(err, unix.ENOMEM)
}
