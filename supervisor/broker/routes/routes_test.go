package routes

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/netrule"
	"github.com/pysandbox/pysandbox/internal/testenv"
)

// inNetwork puts the test into a network namespace of its own and runs commands of
// ip(8) there.
func inNetwork(tb testing.TB, commands ...string) {
	tb.Helper()
	testenv.Need(tb, testenv.Root, testenv.NetNSAdmin)
	runtime.LockOSThread() // never unlocked: the thread ends with the test
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		tb.Fatal(err)
	}
	ip(tb, commands...)
}

func ip(tb testing.TB, commands ...string) {
	tb.Helper()
	for _, command := range commands {
		if out, err := exec.Command("ip", strings.Fields(command)...).CombinedOutput(); err != nil {
			tb.Fatalf("ip %s: %v: %s", command, err, out)
		}
	}
}

func openTable(tb testing.TB, known ...netip.Addr) *Table {
	tb.Helper()
	table, err := Open(known)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = table.Close() })
	return table
}

// isLocal asks for tcp at port 80.
func isLocal(table *Table, address string) bool {
	return isLocalAt(table, netrule.TCP, address, 80)
}

func isLocalAt(table *Table, protocol netrule.Protocol, address string, port uint16) bool {
	addr := netip.MustParseAddr(address)
	facts := table.Host(netrule.Endpoint{Protocol: protocol, Addr: netip.AddrPortFrom(addr, port)})
	return slices.ContainsFunc(netrule.Readings(addr), func(a netip.Addr) bool { return slices.Contains(facts.Local, a) })
}

func TestRoutesToTheHostAreKnown(t *testing.T) {
	inNetwork(
		t,
		"link set lo up",
		"link add d0 type veth peer name d1",
		"link set d1 up",
		"link set d0 up",
		"addr add 203.0.113.1/24 brd + dev d0",
		"addr add 2001:db8:5::2/64 dev d0 nodad",
		"route add local 198.51.100.0/24 dev lo",
		"-6 route add local 2001:db8:77::/64 dev lo",
		"-6 route add anycast 2001:db8:78::1/128 dev lo",
		"-6 route add local 2002:a00:1::/48 dev lo",
		"route add unreachable 192.0.2.0/24",
		"-6 route add unreachable 2001:db8:9::/64",
		"-6 route add blackhole 2001:db8:a::/64",
		"rule add pref 10 ipproto tcp dport 81 lookup 77",
		"route add local 203.0.113.0/24 dev lo table 77",
	)
	if err := os.WriteFile("/proc/sys/net/ipv6/conf/all/forwarding", []byte("1"), 0); err != nil {
		t.Fatal(err)
	}
	table := openTable(t, netip.MustParseAddr("10.9.9.9"))
	for address, want := range map[string]bool{
		"203.0.113.1":         true,
		"203.0.113.255":       true, // broadcast
		"203.0.113.9":         false,
		"198.51.100.7":        true, // local by route alone
		"::ffff:198.51.100.7": true,
		"64:ff9b::c633:6407":  true, // NAT64 of it
		"2002:c633:6407::1":   true, // 6to4 of it
		"2002:a00:1::1":       true, // a 6to4 address that is itself local
		"2001:db8:77::5":      true,
		"2001:db8:78::1":      true, // anycast
		"2001:db8:5::2":       true,
		"2001:db8:5::9":       false,
		"192.0.2.1":           false, // unreachable
		"2001:db8:9::1":       false,
		"2001:db8:a::1":       true,  // blackhole: EINVAL, as of a request that the kernel does not understand
		"2001:db8:5::":        true,  // anycast of a router's network
		"192.31.196.1":        false, // no route
		"2001:db8:ffff::1":    false,
		"224.0.0.251":         false, // a group
		"ff02::fb":            false,
		"10.9.9.9":            true, // known before, without a route
		"fe80::1234%d0":       false,
	} {
		if got := isLocal(table, address); got != want {
			t.Errorf("%s is the host's: %t, want %t", address, got, want)
		}
	}
	if !isLocalAt(table, netrule.TCP, "203.0.113.9", 81) || isLocalAt(table, netrule.UDP, "203.0.113.9", 81) {
		t.Error("a rule that routes one port to the host is not followed, or followed for others")
	}
}

// TestRoutesAreThoseOfNow changes the network under an open table, which has just
// answered and so would rather not ask again.
func TestRoutesAreThoseOfNow(t *testing.T) {
	inNetwork(t, "link set lo up", "link add d0 type veth peer name d1", "link set d1 up", "link set d0 up")
	table := openTable(t)
	was := map[string]bool{}
	for _, step := range []struct {
		command, address string
		want             bool
	}{
		{"addr add 198.51.100.77/32 dev lo", "198.51.100.77", true},
		{"addr del 198.51.100.77/32 dev lo", "198.51.100.77", false},
		{"route add local 198.51.100.0/24 dev lo", "198.51.100.77", true},
		{"route del local 198.51.100.0/24 dev lo", "198.51.100.77", false},
		{"addr add 198.51.100.1/24 brd 198.51.100.77 dev d0", "198.51.100.77", true},
		{"link set d0 down", "198.51.100.77", false}, // takes the broadcast route along, without a word
		{"link set d0 up", "198.51.100.77", true},
		{"addr flush dev d0", "198.51.100.77", false},
		{"route add local 198.51.100.0/24 dev lo table 77", "198.51.100.77", false},
		{"rule add pref 10 to 198.51.100.77 lookup 77", "198.51.100.77", true},
		{"rule del pref 10", "198.51.100.77", false},
		{"addr add 2001:db8:77::5/64 dev d0 nodad", "2001:db8:77::5", true},
		{"addr del 2001:db8:77::5/64 dev d0", "2001:db8:77::5", false},
		{"-6 route add local 2001:db8:77::/64 dev lo", "2001:db8:77::5", true},
		{"-6 route del local 2001:db8:77::/64 dev lo", "2001:db8:77::5", false},
		{"-6 route add local 2001:db8:77::/64 dev lo table 77", "2001:db8:77::5", false},
		{"-6 rule add pref 10 to 2001:db8:77::5 lookup 77", "2001:db8:77::5", true},
		{"-6 rule del pref 10", "2001:db8:77::5", false},
	} {
		if got := isLocal(table, step.address); got != was[step.address] {
			t.Errorf("before %q %s is the host's: %t", step.command, step.address, got)
		}
		ip(t, step.command)
		awaitKernel(t, step.address, step.want)
		if got := isLocal(table, step.address); got != step.want {
			t.Errorf("after %q %s is the host's: %t", step.command, step.address, got)
		}
		was[step.address] = step.want
	}
}

// awaitKernel waits until the kernel itself says so, a second at most: it gives an
// address of IPv6 its route when it has answered the request (addrconf_dad_work).
func awaitKernel(t *testing.T, address string, local bool) {
	t.Helper()
	for range 200 {
		table, err := Open(nil)
		if err != nil {
			t.Fatal(err)
		}
		got := isLocal(table, address)
		_ = table.Close()
		if got == local {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// TestMoreChangesThanAreKept fills the socket that tells of changes.
func TestMoreChangesThanAreKept(t *testing.T) {
	inNetwork(t, "link set lo up")
	table := openTable(t)
	if isLocal(table, "198.51.100.77") {
		t.Fatal("the address is the host's already")
	}
	var batch strings.Builder
	for n := range 4096 {
		fmt.Fprintf(&batch, "route add local 10.%d.%d.0/24 dev lo\n", n/256, n%256)
	}
	batch.WriteString("route add local 198.51.100.0/24 dev lo\n")
	cmd := exec.Command("ip", "-batch", "-")
	cmd.Stdin = strings.NewReader(batch.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ip -batch: %v: %s", err, out)
	}
	if !isLocal(table, "198.51.100.77") {
		t.Error("a change among many is missed")
	}
	if isLocal(table, "203.0.113.7") {
		t.Error("another address is the host's")
	}
}

// TestNoOldAnswerIsKept asks all the time while a local route appears behind another.
func TestNoOldAnswerIsKept(t *testing.T) {
	inNetwork(t, "link set lo up", "link add d0 type veth peer name d1", "link set d1 up", "link set d0 up",
		"route add local 10.0.0.0/8 dev lo")
	table := openTable(t)
	stop := make(chan struct{})
	var asking sync.WaitGroup
	asking.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				isLocal(table, "10.1.2.3")
			}
		}
	})
	for range 150 {
		ip(t, "route add 10.1.2.0/24 dev d0")
		time.Sleep(time.Millisecond)
		ip(t, "route del 10.1.2.0/24 dev d0")
		if !isLocal(table, "10.1.2.3") {
			t.Error("the address is not the host's after the route that hid it has gone")
			break
		}
	}
	close(stop)
	asking.Wait()
}

func TestAnswersAreBounded(t *testing.T) {
	inNetwork(t, "link set lo up")
	table := openTable(t)
	for n := range 4 * keptAnswers {
		if isLocalAt(table, netrule.TCP, "203.0.113.7", uint16(n+1)) {
			t.Fatal("no answer")
		}
		if len(table.answers) > keptAnswers {
			t.Fatalf("%d answers are kept", len(table.answers))
		}
	}
}

func TestWhatCannotBeAskedIsTheHosts(t *testing.T) {
	table := openTable(t)
	if err := table.Close(); err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"203.0.113.9", "2001:db8::1"} {
		if !isLocal(table, address) {
			t.Errorf("%s is not the host's without an answer", address)
		}
	}
}

func TestAnswersThatDenyByDefault(t *testing.T) {
	route := make([]byte, unix.SizeofNlMsghdr+unix.SizeofRtMsg)
	route[4], route[8] = unix.RTM_NEWROUTE, 7
	for name, answer := range map[string][]byte{"nothing": nil, "short": route[:20], "no type": route} {
		if way, ours := readAnswer(answer, 7); way != here || !ours {
			t.Errorf("%s: way %d, ours %t", name, way, ours)
		}
	}
	route[23] = unix.RTN_UNICAST
	if way, ours := readAnswer(route, 7); way != away || !ours {
		t.Errorf("unicast: way %d, ours %t", way, ours)
	}
	if _, ours := readAnswer(route, 8); ours {
		t.Error("an answer to another request counts")
	}
}

// BenchmarkHost stands on the way of every connect to an outside address.
func BenchmarkHost(b *testing.B) {
	inNetwork(b, "link set lo up", "route add local 198.51.100.0/24 dev lo")
	table := openTable(b)
	endpoint := netrule.Endpoint{Protocol: netrule.TCP, Addr: netip.MustParseAddrPort("198.51.100.7:80")}
	for b.Loop() {
		table.Host(endpoint)
	}
}
