package network

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"
)

// canary is a server at the peer that nobody may reach.
type canary struct {
	listener *net.TCPListener
	port     int
}

func listenAtPeer(t *testing.T) canary {
	t.Helper()
	var listener net.Listener
	err := thePeer.Do(func() (err error) {
		listener, err = net.Listen("tcp", net.JoinHostPort(peer, "0"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return canary{listener.(*net.TCPListener), listener.Addr().(*net.TCPAddr).Port}
}

// visits counts the connections that were made since it was last asked.
func (c canary) visits(t *testing.T) int {
	t.Helper()
	for n := 0; ; n++ {
		if err := c.listener.SetDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		conn, err := c.listener.Accept()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return n
		}
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
	}
}
