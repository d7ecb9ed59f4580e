package broker

import (
	"bytes"
	"flag"
	"net"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// long makes every race ten times as long.
var long = flag.Bool("long", false, "try every race 1,000,000 times instead of 100,000")

// raceTries is how often a race is run at most; race.c bounds its time, too, to 50
// seconds for 100,000 tries. Check-then-continue loses that for the
// address within 51 tries and that for the descriptor within 5.
func raceTries() int {
	switch {
	case *long:
		return 1_000_000
	case testing.Short():
		return 5_000
	}
	return 100_000
}

// race runs testdata/race.c in a sandbox and returns how many calls ended which
// way.
func race(t *testing.T, config Config, kind string, args ...string) map[string]int {
	t.Helper()
	g := startGuest(t, config, append([]string{program("race"), kind, strconv.Itoa(raceTries())}, args...)...)
	results := make(map[string]int)
	for line := range strings.Lines(g.wait(t)) {
		name, count, _ := strings.Cut(strings.TrimSpace(line), " ")
		results[name], _ = strconv.Atoi(count)
	}
	if len(results) == 0 {
		t.Fatalf("no results: %s", g.output.String())
	}
	t.Logf("%s: %v", kind, results)
	return results
}

// TestAddressChangedByAnotherThread flips the port between one that is permitted
// and one that is not. The other must never be reached.
func TestAddressChangedByAnotherThread(t *testing.T) {
	denied, closed := listenAt(t, outside4), closedPort(t, outside4)
	config := allowing(t, net.JoinHostPort(outside4, closed))
	results := race(t, config, "address", outside4, closed, denied.port)
	if results["ECONNREFUSED"] == 0 || results["EACCES"] == 0 {
		t.Errorf("the race was not run: %v", results)
	}
	if n := denied.accepted.Load(); n != 0 || results["success"] != 0 {
		t.Errorf("%d connections arrived, %d succeeded", n, results["success"])
	}
}

func TestListenersAreSeen(t *testing.T) {
	testenv.Need(t, needs()...)
	before := listeners(t)
	listenAt(t, "127.0.0.1")
	if after := listeners(t); after != before+1 {
		t.Errorf("%d listeners, then %d", before, after)
	}
}

// TestDescriptorSwappedUnderListen lets another thread swap a socket of the
// sandbox and a host socket. Nothing may ever listen on the host.
func TestDescriptorSwappedUnderListen(t *testing.T) {
	listening := watchListeners(t)
	results := race(t, allowing(t, dark4+":80"), "listen", dark4, "80")
	if results["success"] == 0 {
		t.Errorf("the race was not run: %v", results)
	}
	if n := listening(); n != 0 {
		t.Errorf("the host was seen listening %d times", n)
	}
}

// TestDescriptorSwappedUnderBind does the same under a bind to an address that
// only the host has. The kernel is left to bind the local socket that was judged;
// Landlock must refuse the host socket.
func TestDescriptorSwappedUnderBind(t *testing.T) {
	results := race(t, allowing(t, dark4+":80"), "bind", dark4, "80", outside4)
	if results["EACCES"] == 0 {
		t.Errorf("the race was not run: %v", results)
	}
	if results["success"] != 0 {
		t.Errorf("a host socket was bound: %v", results)
	}
}

// TestDescriptorSwappedUnderConnect connects to the host's loopback, which a
// socket of the sandbox cannot reach and a host socket must not.
func TestDescriptorSwappedUnderConnect(t *testing.T) {
	canary := listenAt(t, "127.0.0.1")
	results := race(t, allowing(t, dark4+":80"), "connect", dark4, "80", "127.0.0.1", canary.port)
	if results["ECONNREFUSED"] == 0 {
		t.Errorf("the race was not run: %v", results)
	}
	if n := canary.accepted.Load(); n != 0 {
		t.Errorf("the host's loopback was reached %d times", n)
	}
}

// watchListeners looks all the time at who listens on the host and returns how
// often it was more than at first.
func watchListeners(t *testing.T) func() int64 {
	t.Helper()
	first, stop, done := listeners(t), make(chan struct{}), make(chan struct{})
	var seen atomic.Int64
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
				if listeners(t) > first {
					seen.Add(1)
				}
			}
		}
	}()
	return func() int64 {
		close(stop)
		<-done
		return seen.Load()
	}
}

// listeners counts the TCP sockets of this network that listen
// (proc_pid_net(5): state 0A).
func listeners(t *testing.T) int {
	table, err := os.ReadFile("/proc/self/net/tcp")
	if err != nil {
		t.Error(err)
	}
	return bytes.Count(table, []byte(":0000 0A "))
}
