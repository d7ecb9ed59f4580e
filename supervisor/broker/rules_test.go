package broker

import (
	"io"
	"net"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/pysandbox/pysandbox/internal/netrule"
)

// allowing is a configuration with rules as the policy language writes them.
func allowing(tb testing.TB, rules ...string) Config {
	tb.Helper()
	var config Config
	for i, text := range rules {
		rule, err := netrule.Parse(text, "network.allow["+strconv.Itoa(i)+"]")
		if err != nil {
			tb.Fatal(err)
		}
		config.Rules.Allow = append(config.Rules.Allow, rule)
	}
	return config
}

// server is an echo server outside that counts who came.
type server struct {
	listener net.Listener
	host     string
	port     string
	accepted atomic.Int64
}

func listenAt(tb testing.TB, host string) *server {
	tb.Helper()
	return serveAt(tb, host, func(c net.Conn) { _, _ = io.Copy(c, c) })
}

// serveAt is a server outside that deals with every connection in one way.
func serveAt(tb testing.TB, host string, deal func(net.Conn)) *server {
	tb.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { l.Close() })
	s := &server{listener: l, host: host}
	_, s.port, _ = net.SplitHostPort(l.Addr().String())
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.accepted.Add(1)
			go func() {
				defer c.Close()
				deal(c)
			}()
		}
	}()
	return s
}

func port(tb testing.TB, text string) uint16 {
	tb.Helper()
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		tb.Fatal(err)
	}
	return uint16(n)
}
