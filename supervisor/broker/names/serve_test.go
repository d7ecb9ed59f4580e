package names

import (
	"context"
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

// fullListener has no descriptor left for its first connection.
type fullListener struct {
	net.Listener
	calls int
	again chan struct{} // closed by the second Accept
}

func (l *fullListener) Accept() (net.Conn, error) {
	l.calls++
	switch l.calls {
	case 1:
		return nil, unix.EMFILE
	case 2:
		close(l.again)
	}
	return l.Listener.Accept()
}

// TestServerOutlastsDescriptors accepts again after a connection for which no
// descriptor was left.
func TestServerOutlastsDescriptors(t *testing.T) {
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	streams, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	full := &fullListener{Listener: streams, again: make(chan struct{})}
	served := make(chan error, 1)
	go func() { served <- New(Config{}).Serve(ctx, packets, full) }()
	select {
	case <-full.again:
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	case err := <-served:
		t.Errorf("serving ended: %v", err)
	}
}
