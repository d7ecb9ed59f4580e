package broker

import (
	"context"
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"
)

// stopID is what the stop event is called in the epoll of pending. Calls have the
// ids of their notifications there, which begin at a random 64-bit number
// (init_listener of kernel/seccomp.c).
const stopID = 0

// stopAfter makes the epoll of pending readable when ctx has ended, so that the
// serve thread waits for one descriptor less: each costs every call a little.
func (p *pending) stopAfter(ctx context.Context) (release func(), err error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("make the stop event: %w", err)
	}
	event := epollEvent(unix.EPOLLIN, stopID)
	if err := unix.EpollCtl(p.epoll, unix.EPOLL_CTL_ADD, fd, &event); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("wait for the stop event: %w", err)
	}
	told := make(chan struct{})
	unregister := context.AfterFunc(ctx, func() {
		defer close(told)
		_, _ = unix.Write(fd, binary.NativeEndian.AppendUint64(nil, 1))
	})
	return func() {
		if !unregister() {
			<-told // the number may soon be another descriptor's
		}
		_ = unix.Close(fd)
	}, nil
}
