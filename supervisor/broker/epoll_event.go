package broker

import "golang.org/x/sys/unix"

// epollEvent is an event with a word of ours (epoll_event(3type)), which
// x/sys/unix has as two halves.
func epollEvent(events uint32, data uint64) unix.EpollEvent {
	return unix.EpollEvent{Events: events, Fd: int32(uint32(data)), Pad: int32(uint32(data >> 32))}
}

// dataOfEvent is the word of an event.
func dataOfEvent(e unix.EpollEvent) uint64 {
	return uint64(uint32(e.Fd)) | uint64(uint32(e.Pad))<<32
}
