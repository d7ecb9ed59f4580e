package capability_test

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/audit"
	"github.com/pysandbox/pysandbox/audit/audittest"
	"github.com/pysandbox/pysandbox/supervisor/broker/capability"
)

// ends are the guest's and the client's sockets of a running relay.
type ends struct {
	guest, client int
	result        chan error
	interrupts    atomic.Int32
	records       *audittest.Recorder
}

func pair(t *testing.T) (ours, theirs int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return fds[0], fds[1]
}

// anything may be suggested.
type anything struct{}

func (anything) SuggestsWrite(string) bool   { return true }
func (anything) SuggestsNetwork(string) bool { return true }

func startRelay(t *testing.T, withClient bool) *ends {
	t.Helper()
	e := &ends{client: -1, result: make(chan error, 1), records: &audittest.Recorder{}}
	var guest int
	client := -1
	e.guest, guest = pair(t)
	if withClient {
		e.client, client = pair(t)
	}
	relay := capability.New(guest, client, e.records, anything{}, func() { e.interrupts.Add(1) })
	go func() { e.result <- relay.Run() }()
	t.Cleanup(func() {
		relay.Close()
		_ = unix.Close(e.guest)
		if e.client >= 0 {
			_ = unix.Close(e.client)
		}
	})
	return e
}

func (e *ends) wait(t *testing.T) error {
	t.Helper()
	select {
	case err := <-e.result:
		return err
	case <-time.After(10 * time.Second):
		t.Fatal("the relay goes on")
		return nil
	}
}

func send(t *testing.T, fd int, frame []byte) {
	t.Helper()
	if err := unix.Send(fd, frame, unix.MSG_NOSIGNAL); err != nil {
		t.Fatal(err)
	}
}

func receive(t *testing.T, fd int) []byte {
	t.Helper()
	buf := make([]byte, capability.MaxFrame+1)
	n, err := unix.Read(fd, buf)
	if err != nil {
		t.Fatal(err)
	}
	return buf[:n]
}

func TestFramesPassBothWays(t *testing.T) {
	e := startRelay(t, true)
	largest := append([]byte{0x83, byte(capability.Return), 1, 0x5a, 0, 1, 0xff, 0xf8}, make([]byte, 0x1fff8)...)
	for _, frame := range [][]byte{{0x82, byte(capability.Hello), 1}, largest} {
		send(t, e.guest, frame)
		if got := receive(t, e.client); !bytes.Equal(got, frame) {
			t.Errorf("the client got %d bytes, not the frame of %d", len(got), len(frame))
		}
		send(t, e.client, frame)
		if got := receive(t, e.guest); !bytes.Equal(got, frame) {
			t.Errorf("the guest got %d bytes, not the frame of %d", len(got), len(frame))
		}
	}
}

func TestBrokenFramesEndTheRelay(t *testing.T) {
	for name, frame := range map[string][]byte{
		"one byte":         {0x81},
		"no array":         {0x61, 0x61},
		"empty array":      {0x80, 0},
		"unknown kind":     {0x81, 10},
		"the supervisor's": {0x83, byte(capability.Welcome), 1, 0x80},
		"too long":         append([]byte{0x82, byte(capability.Return)}, make([]byte, capability.MaxFrame-1)...),
		"a broken note":    {0x82, byte(capability.Note), 0x61},
		"a short note":     {0x82, byte(capability.Note), 0x60},
		"a note of data":   {0x86, byte(capability.Note), 1, 1, 1, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			e := startRelay(t, true)
			send(t, e.guest, frame)
			if err := e.wait(t); !errors.Is(err, capability.ErrFrame) {
				t.Errorf("got %v", err)
			}
			if got := receive(t, e.client); len(got) != 0 {
				t.Errorf("the client got %x", got)
			}
		})
	}
}

func TestWithoutAClientOnlyNotesAreTaken(t *testing.T) {
	e := startRelay(t, false)
	note := []byte{0x86, byte(capability.Note), 0x61, 'c', 0x61, 't', 0x61, 'r', 0x61, 'e', 0x63, 'f', ':', '1'}
	send(t, e.guest, note)
	send(t, e.guest, []byte{0x82, byte(capability.Hello), 1})
	if err := e.wait(t); !errors.Is(err, capability.ErrFrame) {
		t.Errorf("a frame without a client: %v", err)
	}
	want := audit.Record{Source: audit.SourceGuest, Verdict: audit.Deny, Operation: "c", Target: "t", Rule: "r", Errno: "e", Where: "f:1"}
	records := e.records.All()
	if len(records) != 1 {
		t.Fatalf("%d records", len(records))
	}
	got := records[0]
	got.Time = time.Time{}
	if got != want {
		t.Errorf("got %+v", got)
	}
}

func TestDescriptorsOfTheGuestAreDropped(t *testing.T) {
	e := startRelay(t, true)
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	frame := []byte{0x82, byte(capability.Free), 0}
	if err := unix.Sendmsg(e.guest, frame, unix.UnixRights(int(writer.Fd())), nil, 0); err != nil {
		t.Fatal(err)
	}
	_ = writer.Close()
	oob := make([]byte, 128)
	buf := make([]byte, 16)
	n, oobn, _, _, err := unix.Recvmsg(e.client, buf, oob, 0)
	if err != nil || !bytes.Equal(buf[:n], frame) || oobn != 0 {
		t.Errorf("the client got %x and %d bytes of descriptors: %v", buf[:n], oobn, err)
	}
	if n, _ := reader.Read(buf); n != 0 {
		t.Error("the pipe has an end somewhere")
	}
}

func TestTheEndOfOneSideIsTheEnd(t *testing.T) {
	for _, guest := range []bool{true, false} {
		e := startRelay(t, true)
		ending, other := e.client, e.guest
		if guest {
			ending, other = e.guest, e.client
		}
		_ = unix.Shutdown(ending, unix.SHUT_RDWR)
		if err := e.wait(t); errors.Is(err, capability.ErrLeft) == guest || err != nil && guest {
			t.Errorf("the relay ended with %v", err)
		}
		if got := receive(t, other); len(got) != 0 {
			t.Errorf("the other side got %x", got)
		}
	}
}

func TestAClientThatTakesNothingMoreHasLeft(t *testing.T) {
	theirs, guest := pair(t)
	host, client := pair(t)
	send(t, theirs, []byte{0x82, byte(capability.Free), 0})
	_ = unix.Close(host)
	err := capability.New(guest, client, &audittest.Recorder{}, anything{}, func() {}).Run()
	_ = unix.Close(theirs)
	if !errors.Is(err, capability.ErrLeft) {
		t.Errorf("the relay ended with %v", err)
	}
}

func TestWhatAGuestHasSaidBeforeItsEndIsTaken(t *testing.T) {
	theirs, guest := pair(t)
	host, client := pair(t)
	note := []byte{0x86, byte(capability.Note), 0x61, 'c', 0x61, 't', 0x61, 'r', 0x61, 'e', 0x63, 'f', ':', '1'}
	for range 3 {
		send(t, theirs, note)
	}
	_ = unix.Close(theirs)
	send(t, host, []byte{0x82, byte(capability.Free), 0}) // which nobody takes any more
	records := &audittest.Recorder{}
	if err := capability.New(guest, client, records, anything{}, func() {}).Run(); err != nil {
		t.Error(err)
	}
	_ = unix.Close(host)
	if n := len(records.All()); n != 3 {
		t.Errorf("%d of 3 notes are recorded", n)
	}
}

// A client that does not read makes its guest wait; Close ends both.
func TestAStalledClientStallsItsGuestOnly(t *testing.T) {
	e := startRelay(t, true)
	frame := append([]byte{0x83, byte(capability.Return), 1, 0x59, 0x40, 0}, make([]byte, 0x4000)...)
	sent := make(chan int, 1)
	go func() {
		count := 0
		for unix.Send(e.guest, frame, unix.MSG_NOSIGNAL) == nil {
			count++
		}
		sent <- count
	}()
	select {
	case n := <-sent:
		t.Fatalf("the guest's sending ended after %d frames", n)
	case <-time.After(300 * time.Millisecond):
	}
	_ = unix.Shutdown(e.guest, unix.SHUT_RDWR)
	_ = unix.Shutdown(e.client, unix.SHUT_RDWR)
	if n := <-sent; n > 1000 {
		t.Errorf("%d frames were taken that nobody read", n)
	}
	if err := e.wait(t); err != nil && !errors.Is(err, capability.ErrLeft) { // whichever is seen first
		t.Error(err)
	}
}

// open returns the channel of a guest that has a client.
func open(t *testing.T) *capability.Channel {
	t.Helper()
	channel, err := capability.Open(true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(channel.Close)
	return channel
}

func TestTheClientIsGreeted(t *testing.T) {
	ours, theirs := pair(t)
	defer unix.Close(ours)
	channel := open(t)
	if err := channel.Greet(os.NewFile(uintptr(theirs), "client"), []string{"store"}); err != nil {
		t.Fatal(err)
	}
	buf, oob := make([]byte, 64), make([]byte, unix.CmsgSpace(8))
	n, oobn, _, _, err := unix.Recvmsg(ours, buf, oob, 0)
	if err != nil {
		t.Fatal(err)
	}
	value, err := capability.Decode(buf[:n])
	list, _ := value.([]any)
	if err != nil || len(list) != 3 || !slices.Equal(list[2].([]any), []any{"store"}) {
		t.Errorf("greeted with %v: %v", value, err)
	}
	parts, err := unix.ParseSocketControlMessage(oob[:oobn])
	if err != nil || len(parts) != 1 {
		t.Fatalf("descriptors: %v", err)
	}
	fds, err := unix.ParseUnixRights(&parts[0])
	if err != nil || len(fds) != 2 || len(channel.Guest) != 3 {
		t.Fatalf("%d areas, %d descriptors for the guest: %v", len(fds), len(channel.Guest), err)
	}
	for _, fd := range fds {
		if err := unix.Ftruncate(fd, 1); !errors.Is(err, unix.EPERM) {
			t.Errorf("the size of an area can be changed: %v", err)
		}
		_ = unix.Close(fd)
	}
}

func TestNoOtherSocketIsGreeted(t *testing.T) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fds[1])
	client := os.NewFile(uintptr(fds[0]), "client")
	defer client.Close()
	if err := open(t).Greet(client, nil); err == nil {
		t.Error("a stream was taken")
	}
}

func TestACancelInterruptsTheGuestOnceItIsThere(t *testing.T) {
	e := startRelay(t, true)
	cancel := []byte{0x82, byte(capability.Cancel), 7}
	send(t, e.client, cancel)
	if got := receive(t, e.guest); !bytes.Equal(got, cancel) {
		t.Fatalf("the guest got %x", got)
	}
	passed := []byte{0x82, byte(capability.Revoked), 7} // comes after what the one before it leads to
	send(t, e.client, passed)
	receive(t, e.guest)
	if e.interrupts.Load() != 0 {
		t.Error("a guest was interrupted before its Hello")
	}
	hello := []byte{0x82, byte(capability.Hello), capability.Version}
	send(t, e.guest, hello)
	if got := receive(t, e.client); !bytes.Equal(got, hello) {
		t.Fatalf("the client got %x", got)
	}
	if got := e.interrupts.Load(); got != 1 {
		t.Errorf("after the Hello, one Cancel from before it interrupts %d times", got)
	}
	send(t, e.client, cancel)
	receive(t, e.guest)
	send(t, e.client, passed)
	receive(t, e.guest)
	if got := e.interrupts.Load(); got != 2 {
		t.Errorf("another Cancel interrupts %d times", got-1)
	}
}
