package attacks

import (
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// grace is how long a connection may take to arrive that the program has made.
const grace = 50 * time.Millisecond

// canary is a server at the peer that nobody may reach.
type canary struct {
	listener *net.TCPListener
	host     string
	port     int
}

// serveWeb serves port 80 outside, where the policies of the attacks allow to
// connect. It resets a connection that the client has closed, so that a race of
// many connections does not use up the ports.
func serveWeb() error {
	listener, err := net.Listen("tcp", net.JoinHostPort(outside, "80"))
	if err != nil {
		return err
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(io.Discard, conn)
				_ = conn.(*net.TCPConn).SetLinger(0)
				_ = conn.Close()
			}()
		}
	}()
	return nil
}

// listenAtPeer makes a server at the peer; port 0 means any.
func listenAtPeer(t *testing.T, host string, port int) *canary {
	t.Helper()
	var c *canary
	err := theWorld.atPeer(func() (err error) {
		c, err = listen(t, host, port)
		return err
	})
	if err != nil {
		t.Fatalf("listen at the peer: %v", err)
	}
	return c
}

// listen makes a server in the network of the calling thread. Another test may
// be about to close its server at the same address.
func listen(t *testing.T, host string, port int) (*canary, error) {
	t.Helper()
	for attempts := 0; ; attempts++ {
		listener, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		switch {
		case err == nil:
			t.Cleanup(func() { _ = listener.Close() })
			return &canary{listener.(*net.TCPListener), host, listener.Addr().(*net.TCPAddr).Port}, nil
		case !errors.Is(err, unix.EADDRINUSE) || attempts == 1000:
			return nil, err
		}
		time.Sleep(10 * time.Millisecond)
	}
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
