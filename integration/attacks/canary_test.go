package attacks

import (
	"errors"
	"io"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// grace is how long a datagram or a signal may take to arrive. Without a sandbox it
// must, and a busy machine takes its time.
func (e ended) grace() time.Duration {
	if e.report == nil {
		return patience() / 15
	}
	return 50 * time.Millisecond
}

// canary is a server at the peer that nobody may reach.
type canary struct {
	listener net.Listener
	host     string
	port     int

	mu      sync.Mutex
	callers map[string]bool // who has connected
	own     int             // how many of them were the test
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
	err := thePeer.Do(func() (err error) {
		c, err = listen(t, host, port)
		return err
	})
	if err != nil {
		t.Fatalf("listen at the peer: %v", err)
	}
	return c
}

// plainTCP makes servers that keep a connection which was closed at once. One for
// MPTCP loses it (accept(2), ECONNABORTED).
func plainTCP() *net.ListenConfig {
	config := new(net.ListenConfig)
	config.SetMultipathTCP(false)
	return config
}

// listen makes a server in the network of the calling thread. Another test may
// be about to close its server at the same address.
func listen(t *testing.T, host string, port int) (*canary, error) {
	t.Helper()
	for attempts := 0; ; attempts++ {
		listener, err := plainTCP().Listen(t.Context(), "tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		switch {
		case err == nil:
			t.Cleanup(func() { _ = listener.Close() })
			c := &canary{listener: listener, host: host, port: listener.Addr().(*net.TCPAddr).Port, callers: make(map[string]bool)}
			go c.accept()
			return c, nil
		case !errors.Is(err, unix.EADDRINUSE) || attempts == 1000:
			return nil, err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// accept takes every connection, so that the kernel never refuses one for want of
// room, and notes who has made it.
func (c *canary) accept() {
	for {
		conn, err := c.listener.Accept()
		if err != nil {
			return
		}
		c.mu.Lock()
		c.callers[conn.RemoteAddr().String()] = true
		c.mu.Unlock()
		_ = conn.Close()
	}
}

// reached reports whether anybody has connected so far. It connects itself:
// whoever came before is accepted before.
func (c *canary) reached(t *testing.T) bool {
	t.Helper()
	own, err := net.DialTimeout("tcp", c.listener.Addr().String(), patience())
	if err != nil {
		t.Fatalf("the canary cannot be reached at all: %v", err)
	}
	defer own.Close()
	for end := time.Now().Add(patience()); time.Now().Before(end); time.Sleep(time.Millisecond) {
		c.mu.Lock()
		arrived, others := c.callers[own.LocalAddr().String()], len(c.callers)-c.own-1
		if arrived {
			c.own++
		}
		c.mu.Unlock()
		if arrived {
			return others > 0
		}
	}
	t.Fatal("the canary accepts nobody")
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
