package publish

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/audit"
	"github.com/pysandbox/pysandbox/audit/audittest"
)

// published is one published port. The guest is in the network of the tests, where
// a socket is made as anywhere.
type published struct {
	address string // of the host
	stop    context.CancelFunc
	served  chan error
	records audittest.Recorder
}

// publish publishes a port of the guest, 0 for one at which nobody listens.
func publish(t *testing.T, guest, connections int) *published {
	t.Helper()
	listener := listen(t)
	if guest == 0 {
		closed := listen(t)
		guest = closed.Addr().(*net.TCPAddr).Port
		_ = closed.Close()
	}
	ctx, stop := context.WithCancel(t.Context())
	p := &published{address: listener.Addr().String(), stop: stop, served: make(chan error, 1)}
	config := Config{
		Ports: []Port{{Listener: listener, Guest: uint16(guest), Rule: "network.listen[0]"}},
		Socket: func(_ context.Context, family int) (int, error) {
			return unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		},
		Connections: connections,
		Audit:       &p.records,
	}
	go func() { p.served <- Serve(ctx, config) }()
	t.Cleanup(func() {
		stop()
		if err := <-p.served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return p
}

func listen(t *testing.T) *net.TCPListener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener.(*net.TCPListener)
}

// serve is a guest that treats each connection so, and its port.
func serve(t *testing.T, each func(*net.TCPConn)) int {
	t.Helper()
	listener := listen(t)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.AcceptTCP()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				each(conn)
			}()
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port
}

func dial(t *testing.T, p *published) *net.TCPConn {
	t.Helper()
	conn, err := net.DialTimeout("tcp", p.address, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	return conn.(*net.TCPConn)
}

func echo(conn *net.TCPConn) { _, _ = io.Copy(conn, conn) }

// TestEveryByteIsCarried sends what is smaller, as large as and larger than the
// buffers, and ends one direction: everything comes back, and then the end.
func TestEveryByteIsCarried(t *testing.T) {
	p := publish(t, serve(t, echo), 8)
	for _, size := range []int{0, 1, messageSize - 1, messageSize, messageSize + 1, messageSize + bulkSize, 5<<20 + 3} {
		sent := make([]byte, size)
		for i := range sent {
			sent[i] = byte(rand.Uint32())
		}
		conn := dial(t, p)
		go func() {
			_, _ = conn.Write(sent)
			_ = conn.CloseWrite()
		}()
		if got, err := io.ReadAll(conn); err != nil || !bytes.Equal(got, sent) {
			t.Errorf("%d of %d bytes came back: %v", len(got), size, err)
		}
		_ = conn.Close()
	}
}

// TestMessagesAreNotHeldBack asks and is answered on one connection, with messages
// at which a copy that waits for more would hang.
func TestMessagesAreNotHeldBack(t *testing.T) {
	p := publish(t, serve(t, echo), 8)
	conn := dial(t, p)
	for _, size := range []int{1, 100, messageSize, 1, messageSize * 3, 7} {
		message := make([]byte, size)
		if _, err := conn.Write(message); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(conn, message); err != nil {
			t.Fatalf("a message of %d bytes: %v", size, err)
		}
	}
}

// TestResetsArePassedOn: nobody listens, or the guest breaks the connection off.
func TestResetsArePassedOn(t *testing.T) {
	breaking := serve(t, func(conn *net.TCPConn) {
		_, _ = conn.Read(make([]byte, 1))
		_ = conn.SetLinger(0)
	})
	for name, guest := range map[string]int{"nobody": 0, "broken off": breaking} {
		p := publish(t, guest, 8)
		if err := converse(p.address); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%s: the client sees %v", name, err)
		}
		if records := p.records.All(); len(records) != 1 || (records[0].Errno == "ECONNREFUSED") != (guest == 0) {
			t.Errorf("%s: records %+v", name, records)
		}
	}
}

// converse says one byte and waits for another. A reset may meet any of its calls.
func converse(address string) error {
	conn, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("x")); err != nil {
		return err
	}
	_, err = conn.Read(make([]byte, 1))
	return err
}

// TestConnectionsAreBounded opens one more than may be carried: it is not lost, and
// served when another has ended.
func TestConnectionsAreBounded(t *testing.T) {
	p := publish(t, serve(t, echo), 2)
	first, second, third := dial(t, p), dial(t, p), dial(t, p)
	for _, conn := range []*net.TCPConn{first, second, third} {
		_, _ = conn.Write([]byte("x"))
	}
	for _, conn := range []*net.TCPConn{first, second} {
		if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
	_ = third.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	if n, _ := third.Read(make([]byte, 1)); n != 0 {
		t.Error("three connections are carried at once")
	}
	_ = first.Close()
	_ = third.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.ReadFull(third, make([]byte, 1)); err != nil {
		t.Errorf("the third connection is lost: %v", err)
	}
}

// TestLastWordsGoOut ends the run right after the guest has spoken.
func TestLastWordsGoOut(t *testing.T) {
	spoken := make(chan struct{})
	p := publish(t, serve(t, func(conn *net.TCPConn) {
		_, _ = conn.Write([]byte("farewell"))
		close(spoken)
	}), 8)
	conn := dial(t, p)
	<-spoken
	p.stop()
	if got, err := io.ReadAll(conn); string(got) != "farewell" {
		t.Errorf("%q came: %v", got, err)
	}
}

// TestRecordNamesTheClient looks at the record of one connection.
func TestRecordNamesTheClient(t *testing.T) {
	p := publish(t, serve(t, echo), 8)
	conn := dial(t, p)
	_, _ = conn.Write([]byte("x"))
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	records := p.records.All()
	if len(records) != 1 {
		t.Fatalf("%d records: %+v", len(records), records)
	}
	r := records[0]
	if r.Verdict != audit.Allow || r.Operation != "accept" || r.Target != "tcp://"+conn.LocalAddr().String() ||
		r.Rule != "network.listen[0]" || r.Errno != "" || r.Latency <= 0 {
		t.Errorf("record: %+v", r)
	}
}

// TestClientsOutlastDescriptors connects while the supervisor can open nothing: its
// listener lives on, and others can connect later.
func TestClientsOutlastDescriptors(t *testing.T) {
	p := publish(t, 0, 8)
	client, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(client)
	next, err := unix.Dup(client) // the lowest number that is free
	if err != nil {
		t.Fatal(err)
	}
	_ = unix.Close(next)
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: uint64(next), Max: limit.Max}); err != nil {
		t.Fatal(err)
	}
	port := netip.MustParseAddrPort(p.address).Port()
	failed := unix.Connect(client, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: int(port)})
	time.Sleep(100 * time.Millisecond) // it has met the lack by now
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	_ = dial(t, p)
}
