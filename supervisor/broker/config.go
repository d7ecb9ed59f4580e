package broker

import (
	"fmt"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/netrule"
	"github.com/pysandbox/pysandbox/seccomp"
)

// defaultConnections bounds the host sockets in a sandbox's hands where the
// configuration does not.
const defaultConnections = 256

// Config is what a broker must know of its sandbox.
type Config struct {
	Rules netrule.Set
	// Host returns what the rules must know of the host to judge an endpoint; nil:
	// they know nothing of it. It is called from several threads.
	Host func(netrule.Endpoint) netrule.HostFacts
	// Errno is what a refused connect returns; 0 means EACCES.
	Errno syscall.Errno
	// HostLoopback are the TCP ports of the host's loopback that can be reached
	// at the same loopback address inside.
	HostLoopback []uint16
	// UnixSockets are host sockets, as absolute paths, that a connect to the
	// same path reaches.
	UnixSockets []string
	// Connections bounds the host sockets in the sandbox's hands; 0 means
	// defaultConnections.
	Connections int
	// Memory is what the sandbox may use, in bytes, 0 if there is no limit. The
	// buffers of host sockets grow in proportion, and so does the number of TCP
	// sockets in the sandbox's own network.
	Memory int64
	// Network is the SO_NETNS_COOKIE of the sandbox's network namespace. With 0
	// every socket that is not of the supervisor's namespace is the sandbox's.
	Network uint64
	// LandlockTCP says that TCP bind and connect are handled by Landlock with no
	// rule. Only then may the kernel be left to run a bind of a local socket.
	LandlockTCP bool
	Spawn       Spawn
	NoThreads   bool // process.threads is false: what a refused clone is explained by
	// Filter is what the sandbox runs under. It tells calls that are left to the
	// broker from those that are refused and only explained, and with what errno,
	// and whether [syscalls] allow could permit a refused one.
	// Without it every call that the broker knows is left to it.
	Filter *seccomp.FilterSpec
	// Socket makes a TCP socket of a family (unix.AF_INET or AF_INET6) in the
	// sandbox's network, to take the place of a host socket that returns. It may
	// wait, and is called from several threads. nil: every socket that is handed
	// off is kept for its return, and its other numbers are searched one by one.
	Socket func(family int) (int, error)
	// Names returns the names that were pinned to an address; nil: none.
	Names func(netip.Addr) []string
	// Verbose records also what stays inside the sandbox, such as a connect to
	// its own loopback.
	Verbose bool

	// Identify puts the caller's process and thread into each record. They are read
	// before the answer, which takes some 20 µs: afterwards the caller may be gone.
	Identify bool
}

// Spawn is which programs may be executed. Mounts and Landlock enforce it; the
// broker only explains.
type Spawn struct {
	Any   bool     // every program that is visible
	Paths []string // files or directories, as the sandbox sees them
}

func (c Config) withDefaults() (Config, error) {
	if c.Errno == 0 {
		c.Errno = unix.EACCES
	}
	if c.Connections == 0 {
		c.Connections = defaultConnections
	}
	if c.Connections < 0 {
		return c, fmt.Errorf("limit of %d connections: must not be negative", c.Connections)
	}
	return c, nil
}
