package relay

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/icmp"

	"github.com/pysandbox/pysandbox/audit/audittest"
	"github.com/pysandbox/pysandbox/internal/netrule"
	"github.com/pysandbox/pysandbox/internal/testenv"
)

// echo answers every datagram with itself and counts them.
func echo(t *testing.T, address string, count *atomic.Int64) {
	conn := listenUDP(t, "udp", address)
	go func() {
		buf := make([]byte, largest)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			count.Add(1)
			_, _ = conn.WriteToUDPAddrPort(buf[:n], from)
		}
	}()
}

// startRelay relays ports 5300 and 5301 of a new network namespace, and 5301 of
// its loopback to the host's, and returns a function that opens a guest's socket
// there.
func startRelay(t *testing.T, flows int, allow ...string) (guest func(network, to string) *net.UDPConn, seen *audittest.Recorder) {
	t.Helper()
	var set netrule.Set
	for _, text := range allow {
		rule, err := netrule.Parse(text, "network.allow")
		if err != nil {
			t.Fatal(err)
		}
		set.Allow = append(set.Allow, rule)
	}
	enter := make(chan func())
	var sockets []*net.UDPConn
	var icmp4, icmp6 net.PacketConn
	ready := make(chan struct{})
	go inNewNetwork(t, func() {
		sockets = []*net.UDPConn{listenUDP(t, "udp", "[::]:5300"), listenUDP(t, "udp", "[::]:5301")}
		var err4, err6 error
		icmp4, err4 = icmp.ListenPacket("ip4:icmp", "0.0.0.0")
		icmp6, err6 = icmp.ListenPacket("ip6:ipv6-icmp", "::")
		if err4 != nil || err6 != nil {
			t.Error(err4, err6)
		}
		close(ready)
		for f := range enter {
			f()
		}
	})
	<-ready
	seen = &audittest.Recorder{}
	relay := New(Config{
		Rules: set, Audit: seen, Flows: flows, Loopback: []uint16{5301}, Unreachable: Unreachable(icmp4, icmp6),
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- relay.Serve(ctx, sockets) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		close(enter)
	})
	return func(network, to string) *net.UDPConn {
		var conn *net.UDPConn
		var err error
		done := make(chan struct{})
		enter <- func() {
			defer close(done)
			if to == "" {
				conn, err = net.ListenUDP(network, nil)
				return
			}
			conn, err = net.DialUDP(network, nil, net.UDPAddrFromAddrPort(netip.MustParseAddrPort(to)))
		}
		<-done
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
		return conn
	}, seen
}

func TestAllowedDatagramsReachTheWorldAndAnswersComeFromIt(t *testing.T) {
	var four, six atomic.Int64
	inWorld(t, func() {
		echo(t, "203.0.113.9:5300", &four)
		echo(t, "[2001:db8:77::9]:5300", &six)
	})
	guest, _ := startRelay(t, 16, "udp://203.0.113.0/24:5300", "udp://[2001:db8:77::/64]:5300")
	for _, to := range []string{"203.0.113.9:5300", "[2001:db8:77::9]:5300"} {
		network := "udp4"
		if netip.MustParseAddrPort(to).Addr().Is6() {
			network = "udp6"
		}
		connected, free := guest(network, to), guest(network, "")
		buf := make([]byte, largest)
		if _, err := connected.Write([]byte("connected")); err != nil {
			t.Fatal(err)
		}
		if n, err := connected.Read(buf); err != nil || string(buf[:n]) != "connected" {
			t.Errorf("%s connected: %q, %v", to, buf[:n], err)
		}
		large := make([]byte, 60000)
		if _, err := free.WriteToUDPAddrPort(large, netip.MustParseAddrPort(to)); err != nil {
			t.Fatal(err)
		}
		n, from, err := free.ReadFromUDPAddrPort(buf)
		if err != nil || n != len(large) || unmapped(from) != netip.MustParseAddrPort(to) {
			t.Errorf("%s: %d bytes from %v, %v", to, n, from, err)
		}
	}
	if four.Load() != 2 || six.Load() != 2 {
		t.Errorf("the world saw %d and %d datagrams, want 2 each", four.Load(), six.Load())
	}
}

func TestDeniedDatagramsNeverArrive(t *testing.T) {
	var allowed, canary atomic.Int64
	inWorld(t, func() {
		echo(t, "203.0.113.9:5300", &allowed)
		echo(t, "203.0.113.9:5301", &canary)
	})
	guest, seen := startRelay(t, 16, "udp://203.0.113.9:5300")
	free := guest("udp4", "")
	for _, to := range []string{"203.0.113.9:5301", "203.0.113.9:5300"} {
		if _, err := free.WriteToUDPAddrPort([]byte("x"), netip.MustParseAddrPort(to)); err != nil {
			t.Fatal(err)
		}
	}
	buf := make([]byte, 10)
	if _, from, err := free.ReadFromUDPAddrPort(buf); err != nil || unmapped(from).Port() != 5300 {
		t.Fatalf("control: %v, %v", from, err)
	}
	if canary.Load() != 0 {
		t.Error("a denied datagram reached the canary")
	}
	denied := seen.Next(t)
	if denied.Verdict == "allow" { // the ports are read side by side
		denied = seen.Next(t)
	}
	if denied.Verdict != "deny" || denied.Target != "udp://203.0.113.9:5301" || denied.Hint == "" || denied.Errno != "" {
		t.Errorf("record %+v, want a hint, and no error: the guest's call succeeded", denied)
	}
}

func TestRefusedPortIsConnectionRefused(t *testing.T) {
	inWorld(t, func() {})
	guest, _ := startRelay(t, 16, "udp://203.0.113.0/24:5300", "udp://[2001:db8:77::/64]:5300")
	for network, to := range map[string]string{"udp4": "203.0.113.9:5300", "udp6": "[2001:db8:77::9]:5300"} {
		conn := guest(network, to)
		if _, err := conn.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(make([]byte, 10)); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%s: %v, want ECONNREFUSED", to, err)
		}
	}
}

func TestFlowsAreBounded(t *testing.T) {
	var count atomic.Int64
	inWorld(t, func() { echo(t, "203.0.113.9:5300", &count) })
	guest, _ := startRelay(t, 4, "udp://203.0.113.9:5300")
	for range 12 {
		conn := guest("udp4", "203.0.113.9:5300")
		if _, err := conn.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(make([]byte, 10)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestBroadcastIsOfNoRule sends to the broadcast address of the world's network,
// which "*" cannot tell from another public address.
func TestBroadcastIsOfNoRule(t *testing.T) {
	var count atomic.Int64
	inWorld(t, func() { echo(t, "0.0.0.0:5300", &count) })
	guest, seen := startRelay(t, 16, "udp://*:5300")
	all := guest("udp4", "") // package net lets it broadcast
	if _, err := all.WriteToUDPAddrPort([]byte("x"), netip.MustParseAddrPort("203.0.113.255:5300")); err != nil {
		t.Fatal(err)
	}
	if rec := seen.Next(t); rec.Verdict != "allow" || rec.Errno != "EACCES" {
		t.Errorf("recorded as %+v, want the error of the host's socket", rec)
	}
	conn := guest("udp4", "203.0.113.9:5300")
	_, _ = conn.Write([]byte("x"))
	if _, err := conn.Read(make([]byte, 10)); err != nil || count.Load() != 1 {
		t.Errorf("control: %v, %d datagrams arrived, want 1", err, count.Load())
	}
}

// TestGroupsAreNotTheHost sends to a group as the relay does: it arrives outside,
// and not at the host's own members, whom another sender of the host's reaches.
func TestGroupsAreNotTheHost(t *testing.T) {
	const group = "224.0.0.251:5300"
	join := func(count *atomic.Int64, device string) {
		link, err := net.InterfaceByName(device)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := net.ListenMulticastUDP("udp4", link, net.UDPAddrFromAddrPort(netip.MustParseAddrPort(group)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		go func() {
			for buf := make([]byte, 10); ; count.Add(1) {
				if _, _, err := conn.ReadFromUDPAddrPort(buf); err != nil {
					return
				}
			}
		}()
	}
	var inside, outside atomic.Int64
	inWorld(t, func() { join(&outside, "eth0") })
	device := fmt.Sprintf("world%d", worlds.Load())
	if err := run("ip route add 224.0.0.0/4 dev " + device); err != nil {
		t.Fatal(err)
	}
	join(&inside, device)
	relayed, err := dial(netip.MustParseAddrPort(group))
	if err != nil {
		t.Fatal(err)
	}
	defer relayed.Close()
	own, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(netip.MustParseAddrPort(group)))
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	for i, sender := range []*net.UDPConn{relayed, own} {
		if _, err := sender.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(5 * time.Second); outside.Load() <= int64(i) && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(50 * time.Millisecond)
		if in, out := inside.Load(), outside.Load(); in != int64(i) || out != int64(i+1) {
			t.Errorf("after sender %d: %d arrived at the host, %d outside", i, in, out)
		}
	}
}

func TestAPortOfTheHostsLoopbackThatIsNamed(t *testing.T) {
	testenv.Need(t, testenv.Root)
	var named, other atomic.Int64
	if err := run("ip link set lo up"); err != nil {
		t.Fatal(err)
	}
	echo(t, "127.0.0.1:5301", &named)
	echo(t, "127.0.0.1:5300", &other)
	guest, seen := startRelay(t, 16, "udp://any:5300,5301")
	conn := guest("udp4", "127.0.0.1:5301")
	_, _ = conn.Write([]byte("hello"))
	buf := make([]byte, 10)
	if n, err := conn.Read(buf); err != nil || string(buf[:n]) != "hello" {
		t.Errorf("got %q, %v", buf[:n], err)
	}
	if rec := seen.Next(t); rec.Verdict != "allow" || rec.Rule != netrule.RuleHostLoopback {
		t.Errorf("recorded as %+v", rec)
	}
	_, _ = guest("udp4", "127.0.0.1:5300").Write([]byte("hello"))
	if rec := seen.Next(t); rec.Verdict != "deny" || rec.Rule != netrule.RuleHostLocal {
		t.Errorf("recorded as %+v", rec)
	}
	if named.Load() != 1 || other.Load() != 0 {
		t.Errorf("%d and %d datagrams arrived, want 1 and 0", named.Load(), other.Load())
	}
}
