package network

import (
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pysandbox/pysandbox/integration/world"
)

// Addresses that lead to the host without being of an interface.
const (
	routedHost  = "192.0.2.7"      // by a local route
	routedHost6 = "2001:db8:88::5" // by a local route
	anycastHost = "2001:db8:77::"  // of the routers of the cable's network, of which the host becomes one
	lateHost    = "192.0.2.77"     // of an interface, later
)

// hostServer is a server of the host's on every address, which nobody may reach.
type hostServer struct {
	port    int
	reached atomic.Int64
}

// serveHost starts a server of streams and datagrams.
func serveHost(t *testing.T) *hostServer {
	t.Helper()
	listener, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	h := &hostServer{port: listener.Addr().(*net.TCPAddr).Port}
	packets, err := net.ListenPacket("udp", ":"+strconv.Itoa(h.port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = packets.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			h.reached.Add(1)
			_, _ = conn.Write([]byte("secret"))
			_ = conn.Close()
		}
	}()
	go func() {
		for buf := make([]byte, 100); ; {
			_, from, err := packets.ReadFrom(buf)
			if err != nil {
				return
			}
			h.reached.Add(1)
			_, _ = packets.WriteTo([]byte("secret"), from)
		}
	}()
	return h
}

// await waits until the server was reached so often, and a while longer for what should
// not come. It returns how often it was.
func (h *hostServer) await(want int64) int64 {
	for end := time.Now().Add(patience); h.reached.Load() < want && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	time.Sleep(100 * time.Millisecond)
	return h.reached.Load()
}

// leadHere makes the addresses lead to the host until the test ends.
func leadHere(t *testing.T) {
	t.Helper()
	const forwarding = "/proc/sys/net/ipv6/conf/all/forwarding"
	if err := os.WriteFile(forwarding, []byte("1"), 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.WriteFile(forwarding, []byte("0"), 0) })
	for _, route := range []string{"192.0.2.0/24", "2001:db8:88::/64"} {
		if err := world.IP("route add local " + route + " dev lo"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = world.IP("route del local " + route + " dev lo") })
	}
}

// toTheHost is a scene that tries to reach the host, and must not.
func (h *hostServer) toTheHost(protocol, rule string, addresses ...string) scene {
	port := strconv.Itoa(h.port)
	s := scene{
		program: "host_routes", args: append([]string{protocol, port}, addresses...),
		flags: []string{"--allow-net=" + protocol + "://" + rule + ":" + port},
	}
	call := map[string]string{"tcp": "connect", "udp": "sendto"}[protocol]
	var want, inside []string
	for _, address := range addresses {
		want = append(want, address+": secret")
		inside = append(inside, address+": PermissionError EACCES")
		target := protocol + "://" + net.JoinHostPort(address, port)
		denied := strings.NewReplacer("[", `\[`, "]", `\]`).Replace(call+" "+target) + " network.host-local"
		if protocol == "udp" {
			s.denied = append(s.denied, denied) // dropped by the relay, behind a call that has succeeded
		}
		s.denied = append(s.denied, denied+" EACCES")
	}
	s.want, s.inside = strings.Join(want, "\n"), strings.Join(inside, "\n")
	return s
}

func TestRoutesToTheHostAreOfNoRule(t *testing.T) {
	needWorld(t)
	h := serveHost(t)
	leadHere(t)
	for name, s := range map[string]scene{
		"tcp":         h.toTheHost("tcp", "*", routedHost, routedHost6),
		"udp":         h.toTheHost("udp", "*", routedHost, anycastHost, routedHost6),
		"any":         h.toTheHost("tcp", "any", routedHost, routedHost6),
		"the address": h.toTheHost("tcp", routedHost, routedHost),
	} {
		t.Run(name, func(t *testing.T) {
			h.reached.Store(0)
			s.run(t)
			want := int64(len(s.args) - 2) // by the control
			if s.args[0] == "udp" {
				want *= 2
			}
			if got := h.await(want); got != want {
				t.Errorf("the host was reached %d times, by the control alone %d", got, want)
			}
		})
	}
}

// TestLateAddressesAreTheHosts gives the host an address while the program runs.
func TestLateAddressesAreTheHosts(t *testing.T) {
	needWorld(t)
	h := serveHost(t)
	dir := programs(t)
	for _, c := range []struct {
		name string
		run  func(scene, *lateAddress) ended
		want string
		hits int64
	}{
		{"bare", func(s scene, late *lateAddress) ended {
			cmd := exec.Command(debianPython, s.words(dir)...)
			cmd.Stdin = late
			return execute(t, user(), nil, cmd)
		}, lateHost + ": secret", 1},
		{"sandboxed", func(s scene, late *lateAddress) ended {
			cmd, _ := s.command(t, user(), dir)
			cmd.Stdin = late
			return execute(t, user(), nil, cmd)
		}, lateHost + ": PermissionError EACCES", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			late := &lateAddress{t: t, ready: listenAtPeer(t)}
			s := scene{
				program: "host_routes", flags: []string{"--allow-net=tcp://*"},
				args: []string{"tcp", strconv.Itoa(h.port), "wait", strconv.Itoa(late.ready.port), peer, lateHost},
			}
			h.reached.Store(0)
			checkOutput(t, c.run(s, late), c.want)
			if got := h.await(c.hits); got != c.hits {
				t.Errorf("the host was reached %d times, want %d", got, c.hits)
			}
		})
	}
}

// lateAddress is the input of a program that waits: a line, once the program is
// ready and the host has another address.
type lateAddress struct {
	t     *testing.T
	ready canary
	done  bool
}

func (l *lateAddress) Read(line []byte) (int, error) {
	if l.done {
		return 0, io.EOF
	}
	l.done = true
	conn, err := l.ready.listener.Accept()
	if err != nil {
		return 0, err
	}
	_ = conn.Close()
	if err := world.IP("addr add " + lateHost + "/32 dev lo"); err != nil {
		return 0, err
	}
	l.t.Cleanup(func() { _ = world.IP("addr del " + lateHost + "/32 dev lo") })
	return copy(line, "\n"), nil
}
