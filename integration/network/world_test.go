package network

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/integration/world"
	"github.com/pysandbox/pysandbox/internal/testenv"
)

// Addresses of the world. 203.0.113.0/24 and 198.51.100.0/24 (RFC 5737) and
// 2001:db8::/32 (RFC 3849) are of no machine, and count as public.
const (
	hostAddress  = "203.0.113.1"
	hostAddress6 = "2001:db8:77::1"
	peer         = "203.0.113.80" // has every server
	peerOther    = "203.0.113.81" // the same machine
	peerNginx    = "203.0.113.82" // the same machine; its port 80 is nginx's
	peer6        = "2001:db8:77::80"
	silent       = "198.51.100.9" // the peer forwards nothing: never an answer
	silent6      = "2001:db8:99::1"
	unreachable  = "198.51.100.77" // the host has a route that says so
	unreachable6 = "2001:db8:99::77"
	privatePeer  = "10.77.0.80" // the same machine, at an address that "*" is not

	insideWorld = "NETWORK_STAGE" // variable: set inside the world
)

// thePeer, and the names that it knows, are made by TestMain, before any test.
var (
	thePeer *world.Peer
	theZone *zone
)

// TestMain starts the tests again as root of network, mount and PID namespaces
// of their own: they configure interfaces, no datagram of theirs, a query for a
// name in particular, can leave the machine, and no server of theirs outlives
// them.
func TestMain(m *testing.M) {
	switch {
	case testenv.Missing(testenv.Root) != nil || testenv.Missing(testenv.NetNSAdmin) != nil:
		os.Exit(m.Run()) // each test says what it needs
	case os.Getenv(insideWorld) == "":
		os.Exit(world.Enter(insideWorld, unix.CLONE_NEWNET|unix.CLONE_NEWNS|unix.CLONE_NEWPID))
	}
	if err := makeWorld(); err != nil {
		fmt.Fprintln(os.Stderr, "make the world of the tests:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func makeWorld() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make the mounts private: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	if err := coverFile("/etc/resolv.conf", "nameserver "+peer+"\noptions timeout:20 attempts:1\n"); err != nil {
		return err
	}
	theZone = newZone()
	var err error
	if thePeer, err = world.NewPeer(); err != nil {
		return err
	}
	if err := plug(thePeer); err != nil {
		return err
	}
	if err := thePeer.Do(refuseWithoutLimit); err != nil {
		return err
	}
	return thePeer.Do(startServers)
}

// refuseWithoutLimit lets the peer say that a port is unreachable as often as it
// is asked; by default six times in six seconds (icmp(7), icmp_ratelimit).
func refuseWithoutLimit() error {
	for _, name := range []string{"ipv4/icmp_ratelimit", "ipv6/icmp/ratelimit"} {
		if err := os.WriteFile("/proc/sys/net/"+name, []byte("0"), 0); err != nil {
			return fmt.Errorf("configure the peer: %w", err)
		}
	}
	return nil
}

// coverFile makes a file of the system read as text, in this mount namespace.
func coverFile(path, text string) error {
	dir, err := os.MkdirTemp("", "pysandbox-cover-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) // the mount keeps the file
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return err
	}
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	if err := unix.Mount(file, target, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("cover %s: %w", path, err)
	}
	return nil
}

// plug lays the cable between the host and the peer.
func plug(to *world.Peer) error {
	here := []string{
		"addr add " + hostAddress + "/24 dev veth0",
		"addr add " + hostAddress6 + "/64 dev veth0 nodad",
		"link set veth0 up",
		"route add default via " + peer,
		"-6 route add default via " + peer6,
		"route add unreachable " + unreachable,
		"-6 route add unreachable " + unreachable6,
	}
	there := []string{
		"addr add " + peer + "/24 dev veth0",
		"addr add " + peerOther + "/24 dev veth0",
		"addr add " + peerNginx + "/24 dev veth0",
		"addr add " + privatePeer + "/32 dev veth0",
		"addr add " + peer6 + "/64 dev veth0 nodad",
		"link set veth0 up",
	}
	return to.Plug(here, there)
}

// needWorld skips where the world cannot be made.
func needWorld(tb testing.TB) {
	tb.Helper()
	testenv.Need(tb, testenv.Root, testenv.UserNS, testenv.NetNSAdmin, testenv.Landlock,
		testenv.Notify, testenv.DebianPython)
}
