package broker

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// Addresses of the world outside of every sandbox, which the tests live in.
const (
	outside4    = "203.0.113.9"          // has servers
	outside6    = "2001:db8:77::9"       // has servers
	dark4       = "198.51.100.7"         // never answers
	absent      = "198.51.100.8"         // its link knows no such neighbour
	unreachable = "192.0.2.1"            // there is no way to it
	nowhere     = "198.18.0.1"           // no route says anything of it
	insideUID   = 1000                   // of the tests and of every sandbox
	programs    = "BROKER_TEST_PROGRAMS" // variable: the directory of the compiled testdata/*.c
	stage       = "BROKER_TEST_STAGE"    // variable: how far TestMain has come
)

// needs are the features without which only the pure tests run.
func needs() []testenv.Feature {
	return []testenv.Feature{
		testenv.UserNS, testenv.NetNSAdmin, testenv.Notify, testenv.LandlockNet,
		testenv.Compiler, testenv.DebianPython,
	}
}

// TestMain starts the tests again as an ordinary user of a network of their own.
// In production the supervisor is an ordinary user too, and the sandbox's user
// namespace is its own.
//
//	start: compile the guest, clone into new user and network namespaces
//	world: with CAP_NET_ADMIN there, make the network; execute without it
//	tests: run
func TestMain(m *testing.M) {
	switch os.Getenv(stage) {
	case "":
		if fuzzing() || missing() {
			os.Exit(m.Run())
		}
		os.Exit(start())
	case "world":
		if err := makeWorld(); err != nil {
			fmt.Fprintln(os.Stderr, "make the network of the tests:", err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// fuzzing runs pure functions and keeps its corpus where an ordinary user may not
// write.
func fuzzing() bool {
	return slices.ContainsFunc(os.Args, func(arg string) bool { return strings.HasPrefix(arg, "-test.fuzz=") })
}

func missing() bool {
	return slices.ContainsFunc(needs(), func(f testenv.Feature) bool { return testenv.Missing(f) != nil })
}

func start() int {
	dir, err := os.MkdirTemp("", "pysandbox-broker-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	for _, name := range []string{"guest", "race", "socket"} {
		cc := exec.Command("cc", "-O2", "-Wall", "-Werror", "-pthread", "-o", filepath.Join(dir, name), "testdata/"+name+".c")
		if out, err := cc.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "compile %s.c: %v\n%s", name, err, out)
			return 1
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	cmd := exec.Command("/proc/self/exe", testArguments()...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), stage+"=world", programs+"="+dir, "HOME=/", "TMPDIR=/tmp")
	uid := os.Getuid()
	cmd.SysProcAttr = &syscall.SysProcAttr{AmbientCaps: []uintptr{unix.CAP_NET_ADMIN}}
	if uid == 0 {
		uid = testenv.Nobody
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: insideUID, Gid: insideUID, NoSetGroups: true}
	}
	ownNamespaces(cmd, unix.CLONE_NEWUSER|unix.CLONE_NEWNET, uid)
	if err := cmd.Run(); err != nil {
		if cmd.ProcessState == nil {
			fmt.Fprintln(os.Stderr, "start the tests as an ordinary user:", err)
			return 1
		}
		return cmd.ProcessState.ExitCode()
	}
	return 0
}

// testArguments are the arguments of the tests without the log that go test asks
// for, in a directory that an ordinary user cannot write to.
func testArguments() []string {
	return slices.DeleteFunc(slices.Clone(os.Args[1:]), func(arg string) bool {
		return strings.HasPrefix(arg, "-test.testlogfile")
	})
}

// program is the path of a compiled testdata/name.c.
func program(name string) string { return filepath.Join(os.Getenv(programs), name) }

// ownNamespaces makes cmd run in new namespaces, in which uid is insideUID.
func ownNamespaces(cmd *exec.Cmd, flags uintptr, uid int) {
	cmd.SysProcAttr.Cloneflags = flags
	cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: insideUID, HostID: uid, Size: 1}}
	cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: insideUID, HostID: uid, Size: 1}}
}

// makeWorld makes the network and executes the tests without capabilities.
func makeWorld() error {
	for _, line := range []string{
		"link set lo up",
		"addr add " + outside4 + "/32 dev lo",
		"addr add " + outside6 + "/128 dev lo nodad",
		"link add dark type veth peer name nobody",
		"addr add 198.51.100.1/24 dev dark",
		"link set dark up",
		"link set nobody up",
		"neigh add " + dark4 + " lladdr 02:00:00:00:00:01 dev dark",
		"ntable change name arp_cache dev dark retrans 50", // milliseconds, of three tries
		"route add unreachable 192.0.2.0/24",
	} {
		if out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %s: %w: %s", line, err, out)
		}
	}
	runtime.LockOSThread()
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return err
	}
	if err := os.Setenv(stage, "tests"); err != nil {
		return err
	}
	return syscall.Exec("/proc/self/exe", os.Args, os.Environ())
}
