package netrule

import (
	"net/netip"
	"testing"
)

// TestJudgeAsksForWhatIsKnown: what is pinned to an address, and what leads to the host,
// count at the time of the question.
func TestJudgeAsksForWhatIsKnown(t *testing.T) {
	to := netip.MustParseAddrPort("203.0.113.9:443")
	var names []string
	var host HostFacts
	judge := Judge{Rules: set(t, "www.example.org")}
	if got := judge.Decide(TCP, to); got.Verdict == Allow {
		t.Errorf("without a name: %+v", got)
	}
	judge.Names = func(netip.Addr) []string { return names }
	judge.Host = func(e Endpoint) HostFacts {
		if e.Protocol != TCP || e.Addr != to {
			t.Errorf("asked of %+v", e)
		}
		return host
	}
	names = []string{"www.example.org"}
	if got := judge.Decide(TCP, to); got.Verdict != Allow {
		t.Errorf("with its name: %+v", got)
	}
	host.Local = []netip.Addr{to.Addr()}
	if got := judge.Decide(TCP, to); got.Verdict == Allow || got.Rule != RuleHostLocal {
		t.Errorf("of the host: %+v", got)
	}
}
