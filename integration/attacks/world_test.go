package attacks

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/integration/world"
	"github.com/pysandbox/pysandbox/internal/testenv"
)

// long makes the races ten times as long.
var long = flag.Bool("long", false, "try every race 1,000,000 times instead of 100,000")

// Addresses of the world. Those of the peer are on another host as far as the
// kernel can tell: in a network namespace at the other end of a cable.
const (
	outside      = "203.0.113.80"    // has every canary, and servers on port 80
	outsideOther = "203.0.113.81"    // the same host; nothing listens on it
	outside6     = "2001:db8:77::80" // of the documentation prefix, counts as public
	hostAddress  = "203.0.113.1"     // the host's own
	hostAddress6 = "2001:db8:77::1"  // the host's own
	worldStage   = "ATTACKS_STAGE"   // variable: set inside the world
)

// peerAddresses are the addresses beyond the peer's own that the attacks try:
// private, carrier-grade NAT, the metadata service, and IPv6 forms in which
// translators embed an IPv4 address (RFC 6052, RFC 3056, RFC 4380).
func peerAddresses() []string {
	return []string{
		"10.77.0.80", "10.77.0.81", "172.16.77.80", "192.168.77.80", "100.64.0.80", "192.0.0.80",
		"169.254.169.254", "fd77::80", "64:ff9b::a4d:50", "2002:a4d:50::1", "2001:0:cb00:7150::f5b2:ffaf",
	}
}

// thePeer is made by TestMain, before any test.
var thePeer *world.Peer

// TestMain starts the tests again as root of network and mount namespaces of
// their own, so that no control can harm the machine.
func TestMain(m *testing.M) {
	flag.Parse()
	switch {
	case testenv.Missing(testenv.Root) != nil || testenv.Missing(testenv.NetNSAdmin) != nil:
		os.Exit(m.Run()) // each test says what it needs
	case os.Getenv(worldStage) == "":
		os.Exit(world.Enter(worldStage, unix.CLONE_NEWNET|unix.CLONE_NEWNS))
	}
	if err := makeWorld(); err != nil {
		fmt.Fprintln(os.Stderr, "make the world of the attacks:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func makeWorld() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make the mounts private: %w", err)
	}
	if err := openHome(); err != nil {
		return err
	}
	var err error
	if thePeer, err = world.NewPeer(); err != nil {
		return err
	}
	if err := plug(thePeer); err != nil {
		return err
	}
	return thePeer.Do(serveWeb)
}

// openHome lets every user pass through the home directory of root, in this mount
// tree, to the interpreters of pyenv: they find their libraries by absolute path.
// What is in the directory keeps its modes.
func openHome() error {
	home, err := os.UserHomeDir()
	if err != nil {
		return err
	}
	original, err := os.Open(home)
	if err != nil {
		return err
	}
	defer original.Close()
	entries, err := original.ReadDir(-1)
	if err != nil {
		return err
	}
	if err := unix.Mount("home", home, "tmpfs", 0, "mode=0711,size=1m"); err != nil {
		return fmt.Errorf("cover %s: %w", home, err)
	}
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		source := fmt.Sprintf("/proc/self/fd/%d/%s", original.Fd(), entry.Name())
		target := filepath.Join(home, entry.Name())
		if err := os.Mkdir(target, 0o700); err != nil {
			return err
		}
		if err := unix.Mount(source, target, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return fmt.Errorf("bind %s: %w", target, err)
		}
	}
	return nil
}

// plug lays the cable between the host and the peer.
func plug(peer *world.Peer) error {
	here := []string{
		"addr add " + hostAddress + "/24 dev veth0",
		"addr add " + hostAddress6 + "/64 dev veth0 nodad",
		"link set veth0 up",
		"route add default via " + outside,
		"-6 route add default via " + outside6,
	}
	there := []string{
		"addr add " + outside + "/24 dev veth0",
		"addr add " + outsideOther + "/24 dev veth0",
		"addr add " + outside6 + "/64 dev veth0 nodad",
		"link set veth0 up",
	}
	for _, address := range peerAddresses() {
		there = append(there, "addr add "+address+" dev veth0"+nodad(address))
	}
	return peer.Plug(here, there)
}

func nodad(address string) string {
	if strings.Contains(address, ":") {
		return " nodad"
	}
	return ""
}

// needWorld skips where no attack can be judged.
func needWorld(tb testing.TB) {
	tb.Helper()
	testenv.Need(tb, testenv.Root, testenv.UserNS, testenv.NetNSAdmin, testenv.Landlock,
		testenv.Notify, testenv.DebianPython)
}
