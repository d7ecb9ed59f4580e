package attacks

import (
	"net"
	"net/netip"
	"strconv"
	"testing"
)

func TestDoorsToTCP(t *testing.T)          { runAttacks(t, doorsToTCP()) }
func TestAddressesInDisguise(t *testing.T) { runAttacks(t, addresses()) }

// doorsToTCP are ways to a TCP connection beside connect(2) on a fresh socket.
func doorsToTCP() []attack {
	web := []string{"--preset=http-only"}
	return []attack{
		{
			program: "tcp_fastopen", hows: []string{"sendto", "sendmsg", "sendmmsg"},
			set: canaryOutside, flags: web, denied: "^send.* (EOPNOTSUPP|ENOTSUP)$",
		},
		{
			program: "tcp_fastopen_connect",
			set:     canaryOutside, flags: web, denied: "^connect tcp://203.0.113.80:[0-9]+ EACCES$",
		},
		{
			program: "tcp_protocol", hows: []string{"mptcp", "smc", "af_smc", "sctp", "dccp"},
			set: canaryOutside, flags: web, denied: "^socket ",
		},
		{
			program: "tcp_reuse", hows: []string{"unspec", "unspec fastopen", "failed", "failed fastopen"},
			set: canaryBesideWeb, flags: web,
		},
		{
			program: "tcp_listen", hows: []string{"fresh", "used", "bound"},
			set: portOfTheHost, flags: web, harmless: true,
		},
		{
			program: "tcp_theft", hows: []string{"fresh", "used", "failed"},
			set: sharedPort, flags: web, harmless: true,
		},
		{program: "tcp_connections", set: fewConnections},
	}
}

// canaryBesideWeb tells of a server that the policy allows as well.
func canaryBesideWeb(t *testing.T, who account, how string) *scene {
	t.Helper()
	s := canaryOutside(t, who, how)
	s.target["allowed"], s.target["closed"] = outside, outsideOther
	return s
}

// fewConnections is a scene with a limit on connections.
func fewConnections(t *testing.T, who account, _ string) *scene {
	t.Helper()
	s := newScene(t, who)
	s.target["allowed"] = outside
	s.flags = []string{"--policy=" + writePolicy(t, s, "extends = \"http-only\"\n[limits]\nconnections = 5\n")}
	return s
}

// portOfTheHost is a scene in which somebody outside connects to the host.
func portOfTheHost(t *testing.T, who account, _ string) *scene {
	t.Helper()
	port := freePort(t)
	s := newScene(t, who)
	s.target["listen"], s.target["allowed"] = port, outside
	reached := false
	s.during = func() {
		_ = thePeer.Do(func() error {
			conn, err := net.DialTimeout("tcp", net.JoinHostPort(hostAddress, strconv.Itoa(port)), patience()/5)
			if err != nil {
				return err
			}
			reached = true
			return conn.Close()
		})
	}
	s.happened = func(ended) bool { return reached }
	return s
}

// freePort is a port of the host that nobody uses.
func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort(hostAddress, "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// addresses are those that "tcp://*:80" must not mean, however they are written.
func addresses() []attack {
	return []attack{{
		program: "tcp_address",
		hows: append(peerAddresses(),
			"127.0.0.1", "127.1.2.3", "0.0.0.0", "::1", "::", hostAddress, hostAddress6,
			"::ffff:127.0.0.1", "::ffff:0.0.0.0", "::ffff:10.77.0.81", "::ffff:169.254.169.254"),
		set: webServerAt, flags: []string{"--preset=http-only"},
	}}
}

// webServerAt is a scene with a server on port 80 of the address.
func webServerAt(t *testing.T, who account, address string) *scene {
	t.Helper()
	s := newScene(t, who)
	s.target["host"], s.target["port"] = address, 80
	ip := netip.MustParseAddr(address).Unmap()
	var c *canary
	switch {
	case ip.IsUnspecified(), ip.IsLoopback(), ip.String() == hostAddress, ip.String() == hostAddress6:
		var err error
		if c, err = listen(t, loopbackFor(ip).String(), 80); err != nil {
			t.Fatal(err)
		}
	default:
		c = listenAtPeer(t, ip.String(), 80)
	}
	s.happened = func(ended) bool { return c.reached(t) }
	return s
}

// loopbackFor is where a connection to an unspecified address arrives.
func loopbackFor(ip netip.Addr) netip.Addr {
	switch {
	case !ip.IsUnspecified():
		return ip
	case ip.Is4():
		return netip.MustParseAddr("127.0.0.1")
	default:
		return netip.IPv6Loopback()
	}
}
