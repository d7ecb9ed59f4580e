package network

import (
	"net"
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
		// A connection that was closed at once is lost to a listener for MPTCP (accept(2),
		// ECONNABORTED).
		config := net.ListenConfig{}
		config.SetMultipathTCP(false)
		listener, err = config.Listen(t.Context(), "tcp", net.JoinHostPort(peer, "0"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return canary{listener.(*net.TCPListener), listener.Addr().(*net.TCPAddr).Port}
}

// visits counts the connections that were made since it was last asked. It connects
// itself: whoever came before is accepted before.
func (c canary) visits(t *testing.T) int {
	t.Helper()
	own, err := net.DialTimeout("tcp", c.listener.Addr().String(), patience)
	if err != nil {
		t.Fatalf("the canary cannot be reached at all: %v", err)
	}
	defer own.Close()
	if err := c.listener.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	for n := 0; ; n++ {
		conn, err := c.listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		who := conn.RemoteAddr().String()
		_ = conn.Close()
		if who == own.LocalAddr().String() {
			return n
		}
	}
}
