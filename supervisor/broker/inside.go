package broker

import (
	"bytes"
	"strconv"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Bounds on the TCP sockets of the sandbox's own network, and after how many
// connects they are counted. A connection that nobody accepts stands in no table of
// descriptors, and what was sent on it is in memory that no control group counts.
const (
	mostInside  = 8192
	insideEvery = 256
)

// insideSockets knows whether the sandbox's network is full.
type insideSockets struct {
	connects atomic.Uint64
	full     atomic.Bool
}

// connectInside connects two ends within the sandbox.
func (b *Broker) connectInside(req *request, s *socket, a *address, target string) reply {
	if s.isTCP() && b.insideFull(int(req.PID)) {
		req.record = b.denial(req, "connect", target, ruleInside)
		return deny(unix.ENOBUFS)
	}
	b.inside(req, "connect", target)
	return b.connectInPlace(req, s, a)
}

func (b *Broker) insideFull(tid int) bool {
	n := &b.within
	if n.connects.Add(1)%insideEvery == 0 || n.full.Load() {
		n.full.Store(socketsOf(tid) > mostInside)
	}
	return n.full.Load()
}

// socketsOf is how many TCP sockets the network of a thread has: the numbers behind
// "inuse" (proc_pid_net(5), sockstat and sockstat6).
func socketsOf(tid int) int {
	total := 0
	var buf [1024]byte
	for _, table := range []string{"/net/sockstat", "/net/sockstat6"} {
		fd, errno := openPath(procPath(tid, table), 0)
		if errno != 0 {
			continue // no IPv6
		}
		n, _ := readStart(fd, buf[:])
		closeFD(fd)
		total += inUse(buf[:n])
	}
	return total
}

// inUse reads the line of TCP or TCP6.
func inUse(text []byte) int {
	for line := range bytes.Lines(text) {
		fields := bytes.Fields(line)
		if len(fields) < 3 || string(fields[0]) != "TCP:" && string(fields[0]) != "TCP6:" {
			continue
		}
		if n, err := strconv.Atoi(string(fields[2])); err == nil {
			return n
		}
	}
	return 0
}
