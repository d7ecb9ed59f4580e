package network

import (
	"fmt"
	"strings"
	"testing"
)

// longestDelay is what calls that never end may cost another, in milliseconds, where the
// machine has nothing else to do. Where it has, they may take four times as long as
// without those.
const longestDelay = 5

// TestStalledCallsDelayNobody makes calls while a process floods the supervisor, and
// then while forty threads wait, besides, for an address that never answers, and
// sixteen for room in full queues and buffers. One slow moment of the machine is not
// the supervisor's.
func TestStalledCallsDelayNobody(t *testing.T) {
	needWorld(t)
	dir := programs(t)
	policy := policyFile(t, "version = 1\n[network]\nallow = [\""+silent+":7\", \""+peer+":7\"]\n[process]\nthreads = true\n[limits]\npids = 128\nbest_effort = [\"pids\"]\nopen_files = 512\n")
	s := scene{program: "liveness", args: []string{silent, peer, peerOther}, flags: []string{"--policy=" + policy}}
	for _, who := range []account{root(), user()} {
		t.Run(who.name, func(t *testing.T) {
			var slow []string
			for range 10 {
				run := s.sandboxed(t, who, dir)
				if slow = slowCalls(t, run); len(slow) == 0 {
					return
				}
			}
			t.Errorf("one call of ten takes more than %d ms, and four times as long as before, while others stall: %q", longestDelay, slow)
		})
	}
}

// slowCalls reads what liveness.py prints, and returns what takes too long.
func slowCalls(t *testing.T, run ended) (slow []string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(run.stdout), "\n")
	if len(lines) != 3 || run.status != 0 {
		t.Fatalf("status %d\n%s%s", run.status, run.stdout, run.stderr)
	}
	t.Log(strings.Join(lines, ", "))
	for _, line := range lines {
		var kind string
		var before, delay float64
		if _, err := fmt.Sscan(line, &kind, &before, &delay); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if delay > max(longestDelay, 4*before) {
			slow = append(slow, line)
		}
	}
	return slow
}

// TestASharedFlagHoldsNobody lets a program clear O_NONBLOCK under the supervisor's
// connects. They may wait for a moment, and no longer: other calls are answered, and
// the run ends when the program does.
func TestASharedFlagHoldsNobody(t *testing.T) {
	s := scene{program: "flags", flags: []string{"--timeout=110s"}, noControl: "it is about the supervisor", want: "others go on"}
	s.run(t)
}
