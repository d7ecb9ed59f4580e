// Package publish accepts connections on the host for a port that the sandbox
// serves, and carries them inside. The guest never holds the host's listener: a
// shutdown(2) or a second bind(2) there would be its owner's trouble.
package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pysandbox/pysandbox/audit"
	"github.com/pysandbox/pysandbox/internal/accept"
	"github.com/pysandbox/pysandbox/internal/errnos"
)

// Port is one published port.
type Port struct {
	Listener *net.TCPListener // on the host
	Guest    uint16           // that the program listens at, on its loopback
	Rule     string           // ID of the policy's line, for records
}

// Config says what is published.
type Config struct {
	Ports []Port
	// Socket makes a TCP socket of a family (unix.AF_INET or AF_INET6) in the
	// sandbox's network namespace.
	Socket      func(ctx context.Context, family int) (int, error)
	Connections int // carried at once at most; more wait in the listen queue
	Audit       audit.Sink
}

// Serve accepts and carries connections until ctx is done, then closes the
// listeners and every connection.
func Serve(ctx context.Context, config Config) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &server{config: config, slots: make(chan struct{}, max(config.Connections, 1))}
	failed := make(chan error, len(config.Ports))
	for _, port := range config.Ports {
		s.tasks.Go(func() { failed <- s.accept(ctx, port) })
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	cancel()
	for _, port := range config.Ports {
		_ = port.Listener.Close()
	}
	s.tasks.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

type server struct {
	config Config
	slots  chan struct{}
	tasks  sync.WaitGroup
}

func (s *server) accept(ctx context.Context, port Port) error {
	for {
		select {
		case s.slots <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		conn, err := accept.Next(ctx, port.Listener.AcceptTCP)
		if err != nil {
			<-s.slots
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("accept a connection for the sandbox at %s: %w", port.Listener.Addr(), err)
		}
		s.tasks.Go(func() {
			defer func() { <-s.slots }()
			s.carry(ctx, port, conn)
		})
	}
}

// carry connects to the guest from the client's own address, so that the guest
// sees who asks, and copies until both sides have finished.
func (s *server) carry(ctx context.Context, port Port, client *net.TCPConn) {
	start := time.Now()
	defer client.Close()
	peer := client.RemoteAddr().(*net.TCPAddr).AddrPort()
	inner, err := s.dial(ctx, peer, port.Guest)
	s.record(port, peer, start, err)
	if err != nil {
		_ = client.SetLinger(0) // a reset: nobody listens inside
		return
	}
	defer inner.Close()
	// At the end of the program what it has said still goes out.
	stop := context.AfterFunc(ctx, func() {
		_ = client.SetReadDeadline(time.Now())
		_ = client.SetWriteDeadline(time.Now().Add(lastWords))
		_ = inner.SetDeadline(time.Now().Add(lastWords))
	})
	defer stop()
	var both sync.WaitGroup
	both.Go(func() { copyHalf(ctx, inner, client) })
	both.Go(func() { copyHalf(ctx, client, inner) })
	both.Wait()
}

// lastWords is how long a client may take for what an ended program has said.
const lastWords = time.Second

// copyHalf copies one direction and passes its end on: a FIN as a FIN, anything
// else as a reset.
func copyHalf(ctx context.Context, to, from *net.TCPConn) {
	if err := copyAll(to, from); err != nil && ctx.Err() == nil {
		_ = to.SetLinger(0)
		_ = to.Close()
		_ = from.SetLinger(0)
		_ = from.Close()
		return
	}
	_ = to.CloseWrite()
}

// Messages of requests and answers are mostly smaller than a buffer, and a copy of
// them is quicker than the two splice(2) calls that net.TCPConn would make of it.
// What fills the buffer is the beginning of more, of which the rest is spliced.
const (
	messageSize = 16 << 10
	bulkSize    = 1 << 20
)

// copyAll copies until the end of from.
func copyAll(to, from *net.TCPConn) error {
	buf := make([]byte, messageSize)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case n < len(buf):
			continue
		}
		bulk := &io.LimitedReader{R: from, N: bulkSize}
		if _, err := to.ReadFrom(bulk); err != nil {
			return err
		}
		if bulk.N > 0 { // ended before
			return nil
		}
	}
}

func (s *server) record(port Port, peer netip.AddrPort, start time.Time, err error) {
	rec := audit.Record{
		Time: start, Source: audit.SourceKernel, Verdict: audit.Allow, Operation: "accept",
		Target: "tcp://" + peer.String(), Rule: port.Rule, Latency: time.Since(start),
	}
	if err != nil {
		rec.Errno = errnos.Name(errnos.Of(err))
	}
	s.config.Audit.Record(rec)
}
