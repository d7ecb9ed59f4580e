package network

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

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

// world is the network and the mount tree in which the tests live: a network
// namespace that is the host's, and one at the other end of a cable.
type world struct {
	onPeer chan func() // runs functions on the thread that is in the peer's namespace
	zone   *zone
}

// theWorld is made by TestMain, before any test.
var theWorld *world

// TestMain starts the tests again as root of network, mount and PID namespaces
// of their own: they configure interfaces, no datagram of theirs, a query for a
// name in particular, can leave the machine, and no server of theirs outlives
// them.
func TestMain(m *testing.M) {
	switch {
	case testenv.Missing(testenv.Root) != nil || testenv.Missing(testenv.NetNSAdmin) != nil:
		os.Exit(m.Run()) // each test says what it needs
	case os.Getenv(insideWorld) == "":
		os.Exit(enterWorld())
	}
	if err := makeWorld(); err != nil {
		fmt.Fprintln(os.Stderr, "make the world of the tests:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// enterWorld runs the tests again in new namespaces and returns their status.
func enterWorld() int {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), insideWorld+"=inside")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS | unix.CLONE_NEWPID,
		Pdeathsig:  unix.SIGKILL,
	}
	runtime.LockOSThread() // the death signal is that of the thread (prctl(2))
	if err := cmd.Run(); err != nil {
		if cmd.ProcessState == nil {
			fmt.Fprintln(os.Stderr, "start the tests in namespaces of their own:", err)
			return 1
		}
		return cmd.ProcessState.ExitCode()
	}
	return 0
}

func makeWorld() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make the mounts private: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	if err := coverFile("/etc/resolv.conf", "nameserver "+peer+"\noptions timeout:2 attempts:1\n"); err != nil {
		return err
	}
	theWorld = &world{onPeer: make(chan func()), zone: newZone()}
	threads := make(chan int)
	failures := make(chan error, 1)
	go theWorld.servePeer(threads, failures)
	select {
	case err := <-failures:
		return err
	case tid := <-threads:
		if err := theWorld.plug(tid); err != nil {
			return err
		}
	}
	if err := theWorld.atPeer(refuseWithoutLimit); err != nil {
		return err
	}
	return theWorld.atPeer(theWorld.startServers)
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

// servePeer becomes the peer's thread: sockets that it makes are the peer's.
func (w *world) servePeer(threads chan<- int, failures chan<- error) {
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		failures <- fmt.Errorf("make the peer's network namespace: %w", err)
		return
	}
	threads <- unix.Gettid()
	for call := range w.onPeer {
		call()
	}
}

// atPeer runs a function on the peer's thread and waits for it.
func (w *world) atPeer(call func() error) error {
	result := make(chan error)
	w.onPeer <- func() { result <- call() }
	return <-result
}

// plug lays the cable between the host and the peer.
func (w *world) plug(peerThread int) error {
	here := []string{
		"link set lo up",
		"link add veth0 type veth peer name veth0 netns " + strconv.Itoa(peerThread),
		"addr add " + hostAddress + "/24 dev veth0",
		"addr add " + hostAddress6 + "/64 dev veth0 nodad",
		"link set veth0 up",
		"route add default via " + peer,
		"-6 route add default via " + peer6,
		"route add unreachable " + unreachable,
		"-6 route add unreachable " + unreachable6,
	}
	there := []string{
		"link set lo up",
		"addr add " + peer + "/24 dev veth0",
		"addr add " + peerOther + "/24 dev veth0",
		"addr add " + peerNginx + "/24 dev veth0",
		"addr add " + privatePeer + "/32 dev veth0",
		"addr add " + peer6 + "/64 dev veth0 nodad",
		"link set veth0 up",
	}
	if err := runIP(here[:2]); err != nil {
		return err
	}
	if err := w.atPeer(func() error { return runIP(there) }); err != nil {
		return fmt.Errorf("at the peer: %w", err)
	}
	return runIP(here[2:])
}

// runIP runs commands of ip(8) in the namespace of the calling thread.
func runIP(lines []string) error {
	for _, line := range lines {
		if out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %s: %w: %s", line, err, out)
		}
	}
	return nil
}

// needWorld skips where the world cannot be made.
func needWorld(tb testing.TB) {
	tb.Helper()
	testenv.Need(tb, testenv.Root, testenv.UserNS, testenv.NetNSAdmin, testenv.Landlock,
		testenv.Notify, testenv.DebianPython)
}
