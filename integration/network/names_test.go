package network

import (
	"fmt"
	"strings"
	"testing"
)

// found is what names.py prints of a name that leads to the addresses and whose
// page is fetched.
func found(name, addresses, port string) string {
	first, rest, _ := strings.Cut(addresses, " ")
	four := first
	if strings.Contains(first, ":") {
		four = rest
	}
	return fmt.Sprintf("getaddrinfo %[1]s: %[2]s\ngethostbyname %[1]s: %[3]s\nasyncio %[1]s: %[2]s\n"+
		"connect %[1]s: .*\nfetch %[1]s: port %[4]s, host .*\n", name, addresses, four, port)
}

// missing is what it prints of a name that is not there.
func missing(name string) string {
	return fmt.Sprintf("getaddrinfo %[1]s: gaierror -2\ngethostbyname %[1]s: gaierror -2\nasyncio %[1]s: gaierror -2\n"+
		"connect %[1]s: gaierror -2\nfetch %[1]s: URLError None\n", name)
}

func TestNamesThatARuleNamesAreFoundAndReached(t *testing.T) {
	both := peer6 + " " + peer
	scene{
		program: "names", args: []string{"80", "www.example.test", "WWW.Example.TEST"},
		flags: []string{"--allow-net=www.example.test:80"},
		want:  found("www.example.test", both, "80") + found("WWW.Example.TEST", both, "80"),
	}.run(t)
}

func TestWildcardsMeanNamesAtAnyDepthBelow(t *testing.T) {
	scene{
		program: "names", args: []string{"80", "a.b.deep.test", "deep.test"},
		flags:  []string{"--allow-net=*.deep.test:80"},
		want:   found("a.b.deep.test", peer, "80") + found("deep.test", peer, "80"),
		inside: found("a.b.deep.test", peer, "80") + missing("deep.test"),
		denied: []string{"resolve deep.test network.default NXDOMAIN"},
		hint:   "--allow-net=deep.test",
	}.run(t)
}

func TestANameThatNoRuleNamesIsNotFoundAndNotAskedFor(t *testing.T) {
	before := 0
	t.Run("sandbox", func(t *testing.T) {
		before = theWorldCount(t, "other.test.")
		s := scene{
			program: "names", args: []string{"80", "other.test"}, noControl: "follows",
			flags:  []string{"--allow-net=www.example.test:80"},
			inside: missing("other.test"),
			denied: []string{"resolve other.test network.default NXDOMAIN"},
			hint:   "--allow-net=other.test",
		}
		s.run(t)
		if after := theWorldCount(t, "other.test."); after != before {
			t.Errorf("the server was asked %d times", after-before)
		}
	})
	scene{
		program: "names", args: []string{"80", "other.test"},
		flags: []string{"--allow-net=other.test:80"}, // what the hint says, for the port
		want:  found("other.test", peer, "80"),
	}.run(t)
	if theWorldCount(t, "other.test.") == before {
		t.Error("control: the server was not asked for a name that is allowed")
	}
}

func theWorldCount(t *testing.T, suffix string) int {
	t.Helper()
	needWorld(t)
	return theZone.count(suffix)
}

func TestNameRulesHoldForTheirPortsAndNotForOtherAddresses(t *testing.T) {
	scene{
		program: "names", args: []string{"8080", "four.example.test"},
		flags: []string{"--allow-net=four.example.test:80"},
		want:  found("four.example.test", peer, "8080"),
		inside: fmt.Sprintf("getaddrinfo %[1]s: %[2]s\ngethostbyname %[1]s: %[2]s\nasyncio %[1]s: %[2]s\n"+
			"connect %[1]s: PermissionError EACCES\nfetch %[1]s: URLError None\n", "four.example.test", peer),
		denied: []string{"connect tcp://203.0.113.80:8080 network.default EACCES"},
		hint:   "--allow-net=tcp://four.example.test:8080",
	}.run(t)
}

func TestAnAddressIsReachedByANameRuleOnlyAfterItsLookup(t *testing.T) {
	scene{
		program: "pins", args: []string{"alias.test", peer},
		flags: []string{"--allow-net=alias.test:80"},
		want:  "before: connected\nlookup: " + peer + "\nafter: connected\nother: connected",
		inside: "before: PermissionError EACCES\nlookup: " + peer + "\nafter: connected\n" +
			"other: PermissionError EACCES",
		denied: []string{
			"connect tcp://203.0.113.80:80 network.default EACCES",
			"connect tcp://203.0.113.81:80 network.default EACCES",
		},
	}.run(t)
}

func TestHandMadeQueries(t *testing.T) {
	for _, c := range []struct{ kind, name, want string }{
		{"a", "www.example.test", "udp www.example.test 0 203.0.113.80\ntcp www.example.test 0 203.0.113.80"},
		{"aaaa", "www.example.test", "udp www.example.test 0 2001:db8:77::80\ntcp www.example.test 0 2001:db8:77::80"},
		{"aaaa", "four.example.test", "udp four.example.test 0\ntcp four.example.test 0"},
		{"txt", "text.test", "udp text.test 0\ntcp text.test 0"},
		{"https", "text.test", "udp text.test 0\ntcp text.test 0"},
		{"a", "nowhere.example.test", "udp nowhere.example.test 3\ntcp nowhere.example.test 3"},
	} {
		t.Run(c.kind+" "+c.name, func(t *testing.T) {
			scene{
				program: "queries", args: []string{c.kind, c.name}, want: c.want,
				flags: []string{"--allow-net=*.example.test:80", "--allow-net=text.test:80"},
			}.run(t)
		})
	}
}

func TestAnswersThatLeadInwardAreNotTold(t *testing.T) {
	needWorld(t)
	leadHere(t)
	for name, address := range map[string]string{
		"loop": "127.0.0.1", "meta": "169.254.169.254", "inner": privatePeer, "host": hostAddress, "routed": routedHost,
	} {
		t.Run(name, func(t *testing.T) {
			name += ".rebind.test"
			scene{
				program: "queries", args: []string{"a", name}, flags: []string{"--allow-net=*.rebind.test"},
				want:   fmt.Sprintf("udp %[1]s 0 %[2]s\ntcp %[1]s 0 %[2]s", name, address),
				inside: fmt.Sprintf("udp %[1]s 0\ntcp %[1]s 0", name),
				denied: []string{"resolve " + name + " network.rebinding ENODATA"},
			}.run(t)
		})
	}
	t.Run("by getaddrinfo", func(t *testing.T) {
		scene{
			program: "udp_name", args: []string{"meta.rebind.test", "80"}, flags: []string{"--allow-net=*.rebind.test"},
		}.fails(t, "gaierror: \\[Errno -5\\] No address associated with hostname")
	})
	t.Run("the public address among them is told", func(t *testing.T) {
		name := "mixed.rebind.test"
		scene{
			program: "queries", args: []string{"a", name}, flags: []string{"--allow-net=*.rebind.test"},
			want:   fmt.Sprintf("udp %[1]s 0 10.0.0.1 %[2]s\ntcp %[1]s 0 10.0.0.1 %[2]s", name, peer),
			inside: fmt.Sprintf("udp %[1]s 0 %[2]s\ntcp %[1]s 0 %[2]s", name, peer),
			denied: []string{"resolve " + name + " network.rebinding ENODATA"},
		}.run(t)
	})
	t.Run("the hint is the rule that opens it", func(t *testing.T) {
		name := "inner.rebind.test"
		scene{
			program: "queries", args: []string{"a", name}, flags: []string{"--allow-net=" + name + ":80"},
			want:   fmt.Sprintf("udp %[1]s 0 %[2]s\ntcp %[1]s 0 %[2]s", name, privatePeer),
			inside: fmt.Sprintf("udp %[1]s 0\ntcp %[1]s 0", name),
			denied: []string{"resolve " + name + " network.rebinding ENODATA"},
			hint:   "--allow-net=tcp://" + privatePeer + ":80",
		}.run(t)
	})
	t.Run("an address rule opens it", func(t *testing.T) {
		name := "inner.rebind.test"
		scene{
			program: "names", args: []string{"80", name},
			flags: []string{"--allow-net=" + name + ":80", "--allow-net=tcp://" + privatePeer + ":80"},
			want:  found(name, privatePeer, "80"),
		}.run(t)
	})
}

// A lookup that is allowed is a decision too: it has a line in the trail, and none in
// the report.
func TestAllowedLookupsAreInTheTrail(t *testing.T) {
	scene{
		program: "queries", args: []string{"a", "www.example.test"}, noControl: "the trail is pysandbox's",
		flags: []string{"--allow-net=www.example.test:80", "--audit=fd:1"},
		inside: `(?s).*"source":"kernel","verdict":"allow","operation":"resolve","target":"www.example.test",` +
			`"name":"www.example.test","rule":"network.allow\[0\]","latency_us":\d+}.*`,
	}.run(t)
	scene{
		program: "queries", args: []string{"a", "nowhere.example.test"}, noControl: "the trail is pysandbox's",
		flags: []string{"--allow-net=*.example.test:80", "--audit=fd:1"},
		inside: `(?s).*"verdict":"allow","operation":"resolve","target":"nowhere.example.test",` +
			`"name":"nowhere.example.test","rule":"network.allow\[0\]","errno":"NXDOMAIN",.*`,
	}.run(t)
}

// TestBudgetOfNames asks for more names than a policy permits: under "*" a
// lookup is the only thing that a program can say to the owner of a domain.
func TestBudgetOfNames(t *testing.T) {
	policy := policyFile(t, "version = 1\n[network]\nallow = [\"*:80\"]\ndns = { names = 3 }\n")
	scene{
		program: "exfiltrate", args: []string{"budget.test", "10"},
		flags: []string{"--policy=" + policy}, noControl: "counted at the server",
		inside: "asked 10 names",
		denied: []string{
			"resolve secret3.budget.test network.dns NXDOMAIN", "resolve secret4.budget.test network.dns NXDOMAIN",
			"resolve secret5.budget.test network.dns NXDOMAIN", "resolve secret6.budget.test network.dns NXDOMAIN",
			"resolve secret7.budget.test network.dns NXDOMAIN", "resolve secret8.budget.test network.dns NXDOMAIN",
			"resolve secret9.budget.test network.dns NXDOMAIN",
		},
	}.run(t)
	for i := range 10 {
		asked := theWorldCount(t, fmt.Sprintf("secret%d.budget.test.", i))
		if inBudget := i < 3; (asked > 0) != inBudget {
			t.Errorf("the server was asked %d times for name %d; the budget is 3 names", asked, i)
		}
	}
}
