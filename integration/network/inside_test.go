package network

import "testing"

// TestTheSandboxsOwnNetwork serves and connects inside, with and without a
// policy for the outside. None of it is a violation.
func TestTheSandboxsOwnNetwork(t *testing.T) {
	const works = "ipv4: hello True\nipv6: hello True\neverywhere: hello True\ndatagrams: hello True\n" +
		"path: hello\nabstract: hello\npair: hello\ncall: 1024\nthreads: 1225\nstreams: hello\n" +
		"fork: 6\nspawn: 6\nforkserver: 6"
	for name, flags := range map[string][]string{
		"strict":    {},
		"http-only": {"--preset=http-only"},
		"datagrams": {"--allow-net=udp://*:7"},
	} {
		t.Run(name, func(t *testing.T) { scene{program: "inside", flags: flags, want: works}.run(t) })
	}
}

// TestWhatMessengersAsk makes the calls of libzmq, which takes no other answer.
func TestWhatMessengersAsk(t *testing.T) {
	scene{program: "messenger", want: "pace: 0\ninterfaces: listed", inside: "pace: 0\ninterfaces: none"}.run(t)
}

// TestConnectionsBeyondTheLimit opens more connections than the policy permits:
// one more is refused, and possible again once another is closed.
func TestConnectionsBeyondTheLimit(t *testing.T) {
	policy := policyFile(t, "version = 1\n[network]\nallow = [\"*:7\"]\n[limits]\nconnections = 5\n")
	scene{
		program: "many", args: []string{peer, "6"}, flags: []string{"--policy=" + policy},
		want:   "opened: 6\nechoes: 6\nafter a close: hello",
		inside: "refused: OSError ENOBUFS\nopened: 5\nechoes: 5\nafter a close: hello",
		denied: []string{"connect tcp://203.0.113.80:7 limits.connections ENOBUFS"},
		hint:   "raise limits.connections in the policy",
	}.run(t)
}
