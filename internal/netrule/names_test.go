package netrule

import (
	"net/netip"
	"strings"
	"testing"
)

func TestDecideName(t *testing.T) {
	tests := []struct {
		rules, name string
		protocol    Protocol
		rule, hint  string
	}{
		{"", "example.org", 0, "network.default", "--allow-net=example.org"},
		{"example.org", "example.org", TCP, "+network.allow[0]", ""},
		{"example.org", "EXAMPLE.org.", TCP, "+network.allow[0]", ""},
		{"example.org:80", "example.org", 0, "+network.allow[0]", ""},
		{"example.org", "example.org", UDP, "network.default", "--allow-net=example.org"},
		{"udp://example.org:53", "example.org", UDP, "+network.allow[0]", ""},
		{"udp://example.org:53", "example.org", 0, "+network.allow[0]", ""},
		{"udp://example.org:53", "example.org", TCP, "network.default", "--allow-net=example.org"},
		{"*.example.org", "a.b.example.org", 0, "+network.allow[0]", ""},
		{"*.example.org", "example.org", 0, "network.default", "--allow-net=example.org"},
		{"example.org", "a.example.org", 0, "network.default", "--allow-net=a.example.org"},
		{"bücher.example", "xn--bcher-kva.example", 0, "+network.allow[0]", ""},
		{"*:80", "anything.example", 0, "+network.allow[0]", ""},
		{"any", "anything.example", 0, "+network.allow[0]", ""},
		{"203.0.113.0/24 private link-local", "example.org", 0, "network.default", "--allow-net=example.org"},
		{"*.example.org ! bad.example.org", "bad.example.org", 0, "network.deny[0]", `remove network.deny[0] ("bad.example.org")`},
		{"*.example.org ! *.bad.example.org", "x.bad.example.org", TCP, "network.deny[0]", `remove network.deny[0] ("*.bad.example.org")`},
		{"*.example.org ! bad.example.org:80", "bad.example.org", TCP, "+network.allow[0]", ""},
		{"*.example.org ! bad.example.org:1-1023,1024-65535", "bad.example.org", TCP, "network.deny[0]", `remove network.deny[0] ("bad.example.org:1-1023,1024-65535")`},
		{"*.example.org ! bad.example.org:1024-65535,1-1022", "bad.example.org", TCP, "+network.allow[0]", ""},
		{"*.example.org udp://*.example.org:53 ! bad.example.org", "bad.example.org", 0, "+network.allow[1]", ""},
		{"*.example.org ! any", "a.example.org", TCP, "network.deny[0]", `remove network.deny[0] ("any")`},
		{"any", "not a name", 0, "network.default", ""},
		{"any", "", 0, "network.default", ""},
		{"any", strings.Repeat("a", 64) + ".org", 0, "network.default", ""},
	}
	for _, test := range tests {
		s := set(t, test.rules)
		d := s.DecideName(test.name, test.protocol)
		rule, allowed := strings.CutPrefix(test.rule, "+")
		if (d.Verdict == Allow) != allowed || d.Rule != rule || d.Hint != test.hint {
			t.Errorf("rules %q, name %q, protocol %v: %+v; want %s, hint %q", test.rules, test.name, test.protocol, d, test.rule, test.hint)
		}
		if hinted, ok := strings.CutPrefix(d.Hint, "--allow-net="); ok {
			more := set(t, hinted)
			both := Set{Allow: append(s.Allow, more.Allow...), Deny: s.Deny}
			if both.DecideName(test.name, 0).Verdict != Allow {
				t.Errorf("rules %q: hint %q does not open %q", test.rules, d.Hint, test.name)
			}
		}
	}
}

func TestOpensNames(t *testing.T) {
	for rules, want := range map[string]bool{
		"": false, "example.org": false, "*.org": false, "private": false, "0.0.0.0/0": false, "! *": false,
		"*:80": true, "any": true, "example.org udp://*:53": true,
	} {
		if got := set(t, rules).OpensNames(); got != want {
			t.Errorf("rules %q: OpensNames is %v", rules, got)
		}
	}
}

func TestMayAnswer(t *testing.T) {
	for _, test := range []struct {
		rules, addr string
		want        bool
	}{
		{"example.org", "203.0.113.9", true},
		{"example.org", "10.1.2.3", false},
		{"*", "10.1.2.3", false},
		{"*", "127.0.0.1", false},
		{"*", "169.254.169.254", false},
		{"*", "::ffff:10.1.2.3", false},
		{"*", "64:ff9b::10.1.2.3", false},
		{"*", "64:ff9b::203.0.113.9", true},
		{"example.org 10.1.0.0/16:5432", "10.1.2.3", true},
		{"example.org 10.1.0.0/16:5432", "10.2.0.1", false},
		{"example.org private", "10.1.2.3", true},
		{"example.org link-local:80", "169.254.169.254", true},
		{"any", "10.1.2.3", true},
		{"any 127.0.0.1", "127.0.0.1", false},
		{"any private", "10.9.0.1", false}, // the host's
		{"any", "192.0.2.1", false},        // the host's
	} {
		if got := set(t, test.rules).MayAnswer(netip.MustParseAddr(test.addr), testHost()); got != test.want {
			t.Errorf("rules %q: MayAnswer(%s) is %v", test.rules, test.addr, got)
		}
	}
	if set(t, "any").MayAnswer(netip.Addr{}, HostFacts{}) {
		t.Error("no address may be an answer")
	}
}

func TestAnswerHintOpensTheAddress(t *testing.T) {
	for _, test := range []struct{ rules, addr, want string }{
		{"example.org", "10.1.2.3", "--allow-net=tcp://10.1.2.3"},
		{"example.org:80,443", "10.1.2.3", "--allow-net=tcp://10.1.2.3:80,443"},
		{"udp://*.org:53", "fd12::1", "--allow-net=udp://[fd12::1]:53"},
		{"*:80", "169.254.7.7", "--allow-net=tcp://169.254.7.7:80"},
		{"*:80 ! private", "10.1.2.3", `remove network.deny[0] ("private"), then --allow-net=tcp://10.1.2.3:80`},
		{"*:80", "64:ff9b::10.1.2.3", "--allow-net=tcp://10.1.2.3:80"},
		{"*:80", "169.254.169.254", ""}, // metadata
		{"*:80", "127.0.0.1", ""},
		{"*:80", "10.9.0.1", ""}, // the host's
		{"*:80", "fe80::1", ""},  // DNS names no interface
		{"other.org", "10.1.2.3", ""},
	} {
		s, addr := set(t, test.rules), netip.MustParseAddr(test.addr)
		got := s.AnswerHint("example.org", addr, testHost())
		if got != test.want {
			t.Errorf("rules %q: AnswerHint(%s) is %q, want %q", test.rules, test.addr, got, test.want)
		}
		_, flag, hinted := strings.Cut(got, "--allow-net=")
		if hinted && !(Set{Allow: append(s.Allow, set(t, flag).Allow...)}).MayAnswer(addr, testHost()) {
			t.Errorf("rules %q: the hint %q does not open %s", test.rules, got, test.addr)
		}
	}
}

func TestProblems(t *testing.T) {
	tests := []struct {
		rules string
		want  []string // rule and a part of the problem
	}{
		{"", nil},
		{"*:80 203.0.113.0/24 ! 198.51.100.0/24 private", nil},
		{"*.example.org ! bad.example.org", nil},
		{"*.example.org 203.0.113.9 [2001:db8::1] ! bad.example.org", nil},
		{"*.example.org 203.0.113.0/24:80 ! bad.example.org:443", nil},
		{"*.example.org udp://*:53 ! bad.example.org", nil},
		{"*:80 ! bad.example.org", []string{`network.deny[0] ("bad.example.org"): a denied host name does nothing beside "*:80"`}},
		{"203.0.113.0/24 ! *.bad.example.org:80", []string{`network.deny[0] ("*.bad.example.org:80"): a denied host name does nothing beside "203.0.113.0/24"`}},
		{"private ! bad.example.org", []string{`beside "private"`}},
		{"any:1-100 ! bad.example.org:100-200", []string{`beside "any:1-100"`}},
		{"127.0.0.1:6379", []string{`network.allow[0] ("127.0.0.1:6379"): no rule reaches the host's loopback`}},
		{"127.0.0.0/8 [::1] 0.0.0.0 [::ffff:127.0.0.1]", []string{"network.allow[0]", "network.allow[1]", "network.allow[2]", "network.allow[3]"}},
		{"localhost:80 *.localhost", []string{`localhost is the sandbox's own`, `network.allow[1]`}},
		{"! 127.0.0.1 localhost", nil},
		{"0.0.0.0/0", nil},
	}
	for _, test := range tests {
		problems := set(t, test.rules).Problems()
		if len(problems) != len(test.want) {
			t.Errorf("rules %q: %v, want %q", test.rules, problems, test.want)
			continue
		}
		for i, want := range test.want {
			if text := problems[i].Error(); !strings.Contains(text, want) {
				t.Errorf("rules %q: %q, want %q", test.rules, text, want)
			}
		}
	}
}

// FuzzCanonicalName holds that a canonical name is its own canonical form, and
// one that DNS can carry.
func FuzzCanonicalName(f *testing.F) {
	for _, seed := range []string{"example.org.", "bücher.example", "xn--bcher-kva.example", "１２７.0.0.1", "a_b", "İ.example", "xn--xn---epa.example"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		canonical, err := CanonicalName(name)
		if err != nil {
			if canonical != "" {
				t.Fatalf("CanonicalName(%q) gives %q beside an error", name, canonical)
			}
			return
		}
		again, err := CanonicalName(canonical)
		if err != nil || again != canonical {
			t.Fatalf("CanonicalName(%q) is %q, whose own is %q, %v", name, canonical, again, err)
		}
		if _, err := netip.ParseAddr(canonical); err == nil {
			t.Fatalf("CanonicalName(%q) is an address, %s", name, canonical)
		}
	})
}
