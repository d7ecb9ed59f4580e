package names

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/pysandbox/pysandbox/internal/accept"
)

// Bounds of what a guest can make the server hold.
const (
	mostBusy    = 64               // queries under way; by UDP more are dropped, as a full queue would
	mostStreams = 32               // TCP connections
	streamIdle  = 10 * time.Second // that a TCP client may take for a query
)

// Serve answers on a UDP socket and a TCP listener until ctx is done, and closes
// both. It returns the first error that was not the end.
func (s *Server) Serve(ctx context.Context, packets net.PacketConn, streams net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var tasks sync.WaitGroup
	failed := make(chan error, 2)
	tasks.Go(func() { failed <- s.servePackets(ctx, packets, &tasks) })
	tasks.Go(func() { failed <- s.serveStreams(ctx, streams, &tasks) })
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	cancel()
	_ = packets.Close()
	_ = streams.Close()
	tasks.Wait()
	if err == nil || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return fmt.Errorf("answer the sandbox's name queries: %w", err)
}

func (s *Server) servePackets(ctx context.Context, packets net.PacketConn, tasks *sync.WaitGroup) error {
	buf := make([]byte, largest)
	for {
		n, from, err := packets.ReadFrom(buf)
		if err != nil {
			return err
		}
		packet := append([]byte(nil), buf[:n]...)
		select {
		case s.busy <- struct{}{}:
		default:
			continue
		}
		tasks.Go(func() {
			defer func() { <-s.busy }()
			if answer := s.answerPacket(ctx, packet, false); answer != nil {
				_, _ = packets.WriteTo(answer, from)
			}
		})
	}
}

func (s *Server) serveStreams(ctx context.Context, streams net.Listener, tasks *sync.WaitGroup) error {
	slots := make(chan struct{}, mostStreams)
	for {
		conn, err := accept.Next(ctx, streams.Accept)
		if err != nil {
			return err
		}
		select {
		case slots <- struct{}{}:
		default:
			_ = conn.Close()
			continue
		}
		tasks.Go(func() {
			defer func() { <-slots }()
			s.serveStream(ctx, conn)
		})
	}
}

// serveStream answers the queries of one connection, one after the other.
func (s *Server) serveStream(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	for {
		_ = conn.SetDeadline(time.Now().Add(streamIdle))
		packet, err := readStream(conn)
		if err != nil {
			return
		}
		answer := s.answerPacket(ctx, packet, true)
		_ = conn.SetDeadline(time.Now().Add(streamIdle))
		if answer == nil || writeStream(conn, answer) != nil {
			return
		}
	}
}
