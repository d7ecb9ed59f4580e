package attacks

import (
	"flag"
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

// world is the network and the mount tree in which the tests live.
type world struct {
	onPeer chan func() // runs functions on the thread that is in the peer's namespace
}

// theWorld is made by TestMain, before any test.
var theWorld *world

// TestMain starts the tests again as root of network and mount namespaces of
// their own, so that no control can harm the machine.
func TestMain(m *testing.M) {
	flag.Parse()
	switch {
	case testenv.Missing(testenv.Root) != nil || testenv.Missing(testenv.NetNSAdmin) != nil:
		os.Exit(m.Run()) // each test says what it needs
	case os.Getenv(worldStage) == "":
		os.Exit(enterWorld())
	}
	if err := makeWorld(); err != nil {
		fmt.Fprintln(os.Stderr, "make the world of the attacks:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// enterWorld runs the tests again in new namespaces and returns their status.
func enterWorld() int {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), worldStage+"=inside")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS,
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
	if err := openHome(); err != nil {
		return err
	}
	theWorld = &world{onPeer: make(chan func())}
	threads := make(chan int)
	failures := make(chan error, 1)
	go theWorld.servePeer(threads, failures)
	select {
	case err := <-failures:
		return err
	case tid := <-threads:
		return theWorld.plug(tid)
	}
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
		"route add default via " + outside,
		"-6 route add default via " + outside6,
	}
	there := []string{
		"link set lo up",
		"addr add " + outside + "/24 dev veth0",
		"addr add " + outsideOther + "/24 dev veth0",
		"addr add " + outside6 + "/64 dev veth0 nodad",
		"link set veth0 up",
	}
	for _, address := range peerAddresses() {
		there = append(there, "addr add "+address+" dev veth0"+nodad(address))
	}
	if err := runIP(here[:2]); err != nil {
		return err
	}
	if err := w.atPeer(func() error { return runIP(there) }); err != nil {
		return fmt.Errorf("at the peer: %w", err)
	}
	if err := runIP(here[2:]); err != nil {
		return err
	}
	return w.atPeer(serveWeb)
}

func nodad(address string) string {
	if strings.Contains(address, ":") {
		return " nodad"
	}
	return ""
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

// needs are the features without which no attack can be judged.
func needWorld(tb testing.TB) {
	tb.Helper()
	testenv.Need(tb, testenv.Root, testenv.UserNS, testenv.NetNSAdmin, testenv.Landlock,
		testenv.Notify, testenv.DebianPython)
}
