package relay

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// TestMain starts the tests again in a network namespace of their own, so that
// their addresses meet nobody else's.
func TestMain(m *testing.M) {
	const inside = "RELAY_TEST_NETWORK"
	if os.Geteuid() == 0 && os.Getenv(inside) == "" {
		runtime.LockOSThread()
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			fmt.Fprintln(os.Stderr, "make a network namespace for the tests:", err)
			os.Exit(1)
		}
		err := syscall.Exec("/proc/self/exe", os.Args, append(os.Environ(), inside+"=1"))
		fmt.Fprintln(os.Stderr, "start the tests again:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

var worlds atomic.Int64

// inNewNetwork runs f on a thread in a network namespace of its own, where every
// address is local, as the stage makes it. What f opens stays there.
func inNewNetwork(t *testing.T, f func()) {
	t.Helper()
	testenv.Need(t, testenv.Root)
	onThread(t, func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return err
		}
		return run(
			"ip link set lo up",
			"ip route add local default dev lo src 127.0.0.1",
			"ip -6 route add local default dev lo src ::1",
		)
	}, f)
}

// inWorld runs f in a namespace that the host reaches at 203.0.113.9 and
// 2001:db8:77::9, beyond a veth pair.
func inWorld(t *testing.T, f func()) {
	t.Helper()
	testenv.Need(t, testenv.Root)
	name := fmt.Sprintf("psbr-%d-%d", unix.Getpid(), worlds.Add(1))
	host := fmt.Sprintf("world%d", worlds.Load())
	t.Cleanup(func() { _ = run("ip link del "+host, "ip netns del "+name) })
	err := run(
		"ip netns add "+name,
		"ip link set lo up",
		"ip link add "+host+" type veth peer name eth0 netns "+name,
		"ip addr add 203.0.113.1/24 dev "+host,
		"ip addr add 2001:db8:77::1/64 dev "+host+" nodad",
		"ip link set "+host+" up",
		"ip netns exec "+name+" ip addr add 203.0.113.9/24 dev eth0",
		"ip netns exec "+name+" ip addr add 2001:db8:77::9/64 dev eth0 nodad",
		"ip netns exec "+name+" ip link set eth0 up",
	)
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Open("/run/netns/"+name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	onThread(t, func() error { return unix.Setns(fd, unix.CLONE_NEWNET) }, f)
	_ = unix.Close(fd)
}

// onThread runs enter and f on one thread that ends with them.
func onThread(t *testing.T, enter func() error, f func()) {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread is not fit for anything else
		err := enter()
		if err == nil {
			f()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func run(commands ...string) error {
	for _, command := range commands {
		if out, err := exec.Command("sh", "-c", command).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", command, err, out)
		}
	}
	return nil
}

func listenUDP(t *testing.T, network, address string) *net.UDPConn {
	t.Helper()
	addr, err := net.ResolveUDPAddr(network, address)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.ListenUDP(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}
