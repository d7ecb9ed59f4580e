// Package broker answers the notifications of one sandbox: it judges each
// trapped call and performs what is permitted on copies and duplicates that the
// sandbox cannot change. It contains nothing by itself; what it lets slip ends
// in an empty network namespace and a mount tree without the file.
//
// A call takes one straight way: decode (guest memory is copied once), decide
// (pure), perform (on the copy), respond, record.
package broker

import (
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/audit"
	"github.com/pysandbox/pysandbox/seccomp"
)

// Broker answers for one sandbox. It is made by New, used by one Serve, and
// released by Close.
type Broker struct {
	config      Config
	rules       rules
	explained   explained
	sink        audit.Sink
	listener    *listener
	threads     threads
	flags       flagFiles
	connections connections
	bound       bound
	epolls      epolls
	orphans     orphans
	pending     *pending
	pool        pool
	tree        tree
	lost        lostCalls
	within      insideSockets
	execed      bool // the stage's own execve has passed
	panics      atomic.Int64
	self        int // our process id
	network     uint64
}

// New checks the configuration and prepares a broker. It starts nothing.
func New(config Config, sink audit.Sink) (*Broker, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := endCallsBy(interruptSignal); err != nil {
		return nil, err
	}
	network, err := OwnNetwork()
	if err != nil {
		return nil, err
	}
	waiting, err := newPending()
	if err != nil {
		return nil, err
	}
	orphans, err := newOrphans()
	if err != nil {
		_ = waiting.close()
		return nil, err
	}
	open, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		_ = waiting.close()
		orphans.close()
		return nil, fmt.Errorf("make an epoll for sockets of the host: %w", err)
	}
	return &Broker{
		config:      config,
		rules:       newRules(config),
		explained:   newExplained(config.Filter),
		sink:        sink,
		threads:     newThreads(),
		connections: newConnections(open, config.Connections, config.Memory),
		bound:       newBound(),
		pending:     waiting,
		orphans:     orphans,
		pool:        newPool(),
		tree:        tree{sockets: config.UnixSockets},
		self:        unix.Getpid(),
		network:     network,
	}, nil
}

// Close releases the descriptors that the broker holds. Serve must have ended.
func (b *Broker) Close() error {
	b.threads.close()
	b.flags.close()
	b.connections.close()
	b.epolls.close()
	b.orphans.close()
	return b.pending.close()
}

// OwnNetwork is the cookie of the network namespace of this process (socket(7),
// SO_NETNS_COOKIE, Linux 5.14), by which a broker knows the host's sockets.
func OwnNetwork() (uint64, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("make a socket to know our network by: %w", err)
	}
	defer unix.Close(fd)
	cookie, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_NETNS_COOKIE)
	if err != nil {
		return 0, fmt.Errorf("read the cookie of our network: %w; Linux 5.14 or later is needed", err)
	}
	return cookie, nil
}

// isHost tells a socket of a host network from one of the sandbox's own. What
// is not known to be the sandbox's is the host's.
func (b *Broker) isHost(network uint64) bool {
	if b.config.Network != 0 {
		return network != b.config.Network
	}
	return network == b.network
}

// request is one notification on its way through the broker.
type request struct {
	seccomp.Notification
	received time.Time
	thread   *thread
	previous *request // the thread's last connect, found by recall
	pooled   bool     // the pool has it, which keeps off what is the serve thread's
	answered atomic.Bool
	record   *audit.Record // what is recorded when the call is answered, if anything
}
