package broker

import (
	"bytes"
	"strconv"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Bounds on the TCP sockets of the sandbox's own network. A connection that nobody
// accepts stands in no table of descriptors, and what waits in a connection is in
// memory that not every host counts for the sandbox. So each socket takes memoryInside
// bytes of what the sandbox may use: one that is full on both ways holds some 300 KiB
// with the buffers that cpython-shim/namespace.c allows.
const (
	memoryInside = 256 << 10
	leastInside  = 1024
	mostInside   = 8192
)

// socketsInside is how many TCP sockets a sandbox may have in its own network. memory
// is 0 without a limit.
func socketsInside(memory int64) int {
	if memory <= 0 {
		return mostInside
	}
	return int(min(max(memory/memoryInside, leastInside), mostInside))
}

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
	most := socketsInside(b.config.Memory)
	every := uint64(most / 32) // to count takes as long as some connects
	if n.connects.Add(1)%every == 0 || n.full.Load() {
		n.full.Store(socketsOf(tid) > most)
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
