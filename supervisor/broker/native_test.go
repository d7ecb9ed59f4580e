package broker

import (
	"net"
	"slices"
	"strings"
	"testing"
)

// TestSocketsBehaveAsOutside runs every case natively and in a sandbox, and
// compares line by line.
func TestSocketsBehaveAsOutside(t *testing.T) { compareCases(t) }

// TestKeptSocketsBehaveAsOutside is the same where sockets that are handed off
// have to be kept.
func TestKeptSocketsBehaveAsOutside(t *testing.T) {
	t.Setenv(keepSockets, "1")
	compareCases(t)
}

func compareCases(t *testing.T) {
	t.Helper()
	v4, v6 := listenAt(t, outside4), listenAt(t, outside6)
	closed := closedPort(t, outside4)
	args := []string{v4.host, v4.port, v6.host, v6.port, closed, dark4, unreachable, absent, nowhere}
	config := allowing(t, net.JoinHostPort(v4.host, v4.port), net.JoinHostPort(v6.host, v6.port),
		net.JoinHostPort(v4.host, closed), dark4+":80", unreachable+":80", absent+":80", nowhere+":80")
	config.Memory = 1 << 40 // every buffer grows, as outside
	want := strings.Split(runNative(t, "cases.py", args...), "\n")
	for _, line := range []string{ // what the network of the tests is made for
		"no_route OSError EHOSTUNREACH", "no_network OSError ENETUNREACH", "no_neighbour OSError EHOSTUNREACH",
	} {
		if !slices.Contains(want, line) {
			t.Errorf("outside there is no line %q in %q", line, want)
		}
	}
	output, _ := runPython(t, config, "cases.py", args...)
	got := strings.Split(output, "\n")
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) {
			t.Fatalf("%d lines inside, %d outside\n%s", len(got), len(want), output)
		}
		name, _, _ := strings.Cut(want[i], " ")
		t.Run(name, func(t *testing.T) {
			if got[i] != want[i] {
				t.Errorf("inside:  %s\noutside: %s", got[i], want[i])
			}
		})
	}
}

// closedPort is a port at which nobody listens.
func closedPort(tb testing.TB, host string) string {
	tb.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}
