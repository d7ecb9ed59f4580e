package attacks

import (
	"errors"
	"net"
	"os"
	"strconv"
	"testing"
	"time"
)

// grace is how long a connection may take to arrive that the program has made.
const grace = 50 * time.Millisecond

// canary is a server at the peer that nobody may reach.
type canary struct {
	listener *net.TCPListener
	host     string
	port     int
}

// listenAtPeer makes a server at the peer; port 0 means any.
func listenAtPeer(t *testing.T, host string, port int) *canary {
	t.Helper()
	var listener net.Listener
	err := theWorld.atPeer(func() (err error) {
		listener, err = net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		return err
	})
	if err != nil {
		t.Fatalf("listen at the peer: %v", err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return &canary{listener.(*net.TCPListener), host, listener.Addr().(*net.TCPAddr).Port}
}

// reached reports whether anybody has connected.
func (c *canary) reached(t *testing.T) bool {
	t.Helper()
	if err := c.listener.SetDeadline(time.Now().Add(grace)); err != nil {
		t.Fatal(err)
	}
	conn, err := c.listener.Accept()
	switch {
	case err == nil:
		_ = conn.Close()
		return true
	case errors.Is(err, os.ErrDeadlineExceeded):
		return false
	}
	t.Fatalf("accept: %v", err)
	return false
}

// canaryOutside is a scene with a server outside on a port that no rule allows.
func canaryOutside(t *testing.T, who account, _ string) *scene {
	t.Helper()
	return canaryAt(t, who, outside)
}

func canaryAt(t *testing.T, who account, host string) *scene {
	t.Helper()
	s := newScene(t, who)
	c := listenAtPeer(t, host, 0)
	s.target["host"], s.target["port"] = c.host, c.port
	s.happened = func(ended) bool { return c.reached(t) }
	return s
}
