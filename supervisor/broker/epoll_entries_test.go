package broker

import (
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// TestRegistrationsAreReadOneByOne reads an epoll with many registrations, which a
// program can make of few descriptors: an entry is of a file and a number.
func TestRegistrationsAreReadOneByOne(t *testing.T) {
	const files, numbers, first = 100, 200, 700
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(epoll)
	var last int
	for range files {
		if last, err = unix.Eventfd(0, unix.EFD_CLOEXEC); err != nil {
			t.Fatal(err)
		}
		defer unix.Close(last)
		for n := first; n < first+numbers; n++ {
			if err := unix.Dup3(last, n, unix.O_CLOEXEC); err != nil {
				t.Fatal(err)
			}
			if err := unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, n, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(n)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for n := first; n < first+numbers; n++ {
		defer unix.Close(n)
	}
	all := 0
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err = eachWatched(epoll, func(watched) { all++ })
	runtime.ReadMemStats(&after)
	if all != files*numbers || err != nil {
		t.Errorf("%d registrations, want %d; %v", all, files*numbers, err)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 256<<10 {
		t.Errorf("to read %d registrations took %d bytes", all, took)
	}
}
