package broker

import (
	"os"
	"os/signal"
	"runtime"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

func TestParseWatched(t *testing.T) {
	got, ok := parseWatched([]byte("tfd:       5 events: 8000001d data: ffffffff00000005  pos:0 ino:61af sdev:7\n"))
	want := watched{number: 5, events: 0x8000001d, data: 0xffffffff00000005, inode: 0x61af}
	if !ok || got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for _, line := range []string{"pos:\t0\n", "flags:\t02\n", "mnt_id:\t15\n", "tfd: x\n", "tfd: 5 events: 1\n", ""} {
		if w, ok := parseWatched([]byte(line)); ok {
			t.Errorf("%q is %+v", line, w)
		}
	}
}

// TestEntriesMove reads what was registered in a real epoll, and moves it.
func TestEntriesMove(t *testing.T) {
	b := &Broker{self: os.Getpid()}
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	b.epolls.keep(epoll)
	defer b.epolls.close()
	var old, other [2]int
	for _, pipe := range []*[2]int{&old, &other} {
		if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
			t.Fatal(err)
		}
		defer unix.Close(pipe[0])
		defer unix.Close(pipe[1])
	}
	event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: 77, Pad: -1}
	if err := unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, old[0], &event); err != nil {
		t.Fatal(err)
	}
	entries := b.epolls.entriesOf(b, old[0], []int{old[0], old[1]})
	const always = unix.EPOLLERR | unix.EPOLLHUP // the kernel adds these
	want := []entry{{epoll: epoll, number: old[0], events: unix.EPOLLIN | unix.EPOLLET | always, data: 0xffffffff0000004d}}
	if !slices.Equal(entries, want) {
		t.Fatalf("entries %+v, want %+v", entries, want)
	}
	if found := b.epolls.entriesOf(b, other[0], []int{old[0]}); found != nil {
		t.Errorf("entries of another file: %+v", found)
	}
	moveEntries(entries, old[0], other[0])
	if _, err := unix.Write(old[1], []byte("x")); err != nil {
		t.Fatal(err)
	}
	events := make([]unix.EpollEvent, 2)
	if n, err := unix.EpollWait(epoll, events, 0); n != 0 || err != nil {
		t.Errorf("the old file still gives %d events, %v", n, err)
	}
	if _, err := unix.Write(other[1], []byte("x")); err != nil {
		t.Fatal(err)
	}
	if n, err := unix.EpollWait(epoll, events, 1000); n != 1 || err != nil || events[0].Fd != 77 || events[0].Pad != -1 {
		t.Errorf("the new file gives %d events, %v, %+v", n, err, events[0])
	}
}

func TestNumbersIn(t *testing.T) {
	dir, errno := openPath(procPath(os.Getpid(), "/fd"), unix.O_DIRECTORY)
	if errno != 0 {
		t.Fatal(errno)
	}
	defer closeFD(dir)
	var buf [4096]byte
	n, errno := readDir(dir, buf[:])
	if errno != 0 {
		t.Fatal(errno)
	}
	numbers := numbersIn(buf[:n])
	for _, want := range []int{0, 1, 2, dir} {
		if !slices.Contains(numbers, want) {
			t.Errorf("%d is not in %v", want, numbers)
		}
	}
	for cut := range n {
		if len(numbersIn(buf[:cut])) > len(numbers) {
			t.Fatalf("more numbers in %d bytes than in all", cut)
		}
	}
}

// TestSignalsOfAThread blocks a signal on a thread and sends it there.
func TestSignalsOfAThread(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	set := unix.Sigset_t{Val: [16]uint64{1 << (unix.SIGUSR1 - 1)}}
	var old unix.Sigset_t
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, &set, &old); err != nil {
		t.Fatal(err)
	}
	ignored := make(chan os.Signal, 1)
	signal.Notify(ignored, unix.SIGUSR1) // its default action would end the tests
	defer signal.Stop(ignored)
	defer func() { _ = unix.PthreadSigmask(unix.SIG_SETMASK, &old, nil) }()
	if err := unix.Tgkill(os.Getpid(), unix.Gettid(), unix.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	if own := signalsOf(unix.Gettid()); own.thread != set.Val[0] || own.blocked&set.Val[0] == 0 || own.process != 0 {
		t.Errorf("%x is pending for the thread, %x for the process, %x blocked", own.thread, own.process, own.blocked)
	}
	if none := signalsOf(1 << 30); none != (signals{}) {
		t.Errorf("a thread that does not exist has signals: %+v", none)
	}
}

// TestEntriesOfManyNumbers has one file at many numbers in many epolls, more than
// are ever moved.
func TestEntriesOfManyNumbers(t *testing.T) {
	const copies, watchers = 300, 20
	b := &Broker{self: os.Getpid()}
	defer b.epolls.close()
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pipe[1])
	numbers := []int{pipe[0]}
	for range copies - 1 {
		fd, err := unix.FcntlInt(uintptr(pipe[0]), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		numbers = append(numbers, fd)
	}
	defer func() {
		for _, fd := range numbers {
			_ = unix.Close(fd)
		}
	}()
	for range watchers {
		epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
		if err != nil {
			t.Fatal(err)
		}
		b.epolls.keep(epoll)
		for _, fd := range numbers {
			if err := unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	entries := b.epolls.entriesOf(b, pipe[0], numbers)
	if len(entries) != maxEntries {
		t.Errorf("%d entries, want %d of %d", len(entries), maxEntries, copies*watchers)
	}
	for _, e := range entries {
		if !slices.Contains(numbers, e.number) || e.data != uint64(e.number) {
			t.Fatalf("entry %+v is none of those that were made", e)
		}
	}
}
