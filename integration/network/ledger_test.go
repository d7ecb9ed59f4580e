package network

import (
	"bufio"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"
)

// ledger is the book of servers that anybody may reach and that write down what
// arrives: one word per connection or datagram.
type ledger struct {
	mu      sync.Mutex
	arrived map[string]bool
}

// openLedger starts servers for TCP and UDP on ports of every address of the
// peer, and on those of the host.
func openLedger(t *testing.T, ports ...int) *ledger {
	t.Helper()
	l := &ledger{arrived: map[string]bool{}}
	open := func() error {
		for _, port := range ports {
			if err := l.open(t, port); err != nil {
				return err
			}
		}
		return nil
	}
	if err := thePeer.Do(open); err != nil {
		t.Fatal(err)
	}
	if err := open(); err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *ledger) open(t *testing.T, port int) error {
	at := fmt.Sprintf(":%d", port)
	streams, err := net.Listen("tcp", at)
	if err != nil {
		return err
	}
	t.Cleanup(func() { _ = streams.Close() })
	packets, err := net.ListenPacket("udp", at)
	if err != nil {
		return err
	}
	t.Cleanup(func() { _ = packets.Close() })
	go l.takeStreams(streams)
	go l.takePackets(packets)
	return nil
}

func (l *ledger) takeStreams(from net.Listener) {
	for {
		conn, err := from.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			word, _ := bufio.NewReader(conn).ReadString('\n')
			l.write(word)
			_, _ = conn.Write([]byte("thanks"))
		}()
	}
}

func (l *ledger) takePackets(from net.PacketConn) {
	buf := make([]byte, 512)
	for {
		n, _, err := from.ReadFrom(buf)
		if err != nil {
			return
		}
		l.write(string(buf[:n]))
	}
}

func (l *ledger) write(word string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.arrived[word] = true
}

func (l *ledger) has(word string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.arrived[word+"\n"]
}

// await waits until every word of a list has arrived, and a while longer for what
// should not. It returns those that are missing.
func (l *ledger) await(words []string) []string {
	deadline := time.Now().Add(patience)
	for {
		var missing []string
		for _, word := range words {
			if !l.has(word) {
				missing = append(missing, word)
			}
		}
		if len(missing) == 0 || time.Now().After(deadline) {
			time.Sleep(100 * time.Millisecond)
			return missing
		}
		time.Sleep(10 * time.Millisecond)
	}
}
