package netrule

import (
	"net/netip"
	"strconv"
	"strings"
	"testing"
)

// set makes rules from text: those before "!" allow, those after it deny.
func set(t testing.TB, text string) Set {
	t.Helper()
	allow, deny, _ := strings.Cut(text, "!")
	parse := func(list, id string) []Rule {
		var rules []Rule
		for i, field := range strings.Fields(list) {
			rule, err := Parse(field, id+"["+strconv.Itoa(i)+"]")
			if err != nil {
				t.Fatal(err)
			}
			rules = append(rules, rule)
		}
		return rules
	}
	return Set{Allow: parse(allow, "network.allow"), Deny: parse(deny, "network.deny")}
}

// endpoint reads "udp://203.0.113.9:53 name name"; without a scheme it is TCP.
func endpoint(t testing.TB, text string) Endpoint {
	t.Helper()
	fields := strings.Fields(text)
	e := Endpoint{Protocol: TCP, Names: fields[1:]}
	address, isUDP := strings.CutPrefix(fields[0], "udp://")
	if isUDP {
		e.Protocol = UDP
	}
	var err error
	if e.Addr, err = netip.ParseAddrPort(address); err != nil {
		t.Fatal(err)
	}
	return e
}

func testHost() HostFacts {
	return HostFacts{Local: []netip.Addr{
		netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("10.9.0.1"), netip.MustParseAddr("2001:db8:9::1"),
		netip.MustParseAddr("fe80::9%eth0"), netip.MustParseAddr("::ffff:198.51.100.1"),
	}}
}

func TestDecide(t *testing.T) {
	tests := []struct {
		rules, endpoint string
		rule            string // of an allow where it begins with "+"
		hint            string
	}{
		// Nothing allows anything by itself.
		{"", "203.0.113.9:443", "network.default", "--allow-net=tcp://203.0.113.9:443"},
		{"", "udp://[2001:db8::1]:53", "network.default", "--allow-net=udp://[2001:db8::1]:53"},
		{"", "203.0.113.9:0", "network.default", ""},

		// Protocol, address and port must all match.
		{"203.0.113.9:443", "203.0.113.9:443", "+network.allow[0]", ""},
		{"203.0.113.9:443", "203.0.113.9:80", "network.default", "--allow-net=tcp://203.0.113.9:80"},
		{"203.0.113.9:443", "udp://203.0.113.9:443", "network.default", "--allow-net=udp://203.0.113.9:443"},
		{"udp://203.0.113.9:53", "203.0.113.9:53", "network.default", "--allow-net=tcp://203.0.113.9:53"},
		{"203.0.113.8:443", "203.0.113.9:443", "network.default", "--allow-net=tcp://203.0.113.9:443"},
		{"192.0.2.9 203.0.113.0/24:80,8000-8100", "203.0.113.9:8100", "+network.allow[1]", ""},
		{"192.0.2.9 203.0.113.0/24:80,8000-8100", "203.0.113.9:8101", "network.default", "--allow-net=tcp://203.0.113.9:8101"},
		{"[2001:db8::/32]", "[2001:db8::1]:443", "+network.allow[0]", ""},

		// Deny beats allow.
		{"* ! 203.0.113.0/24", "203.0.113.9:80", "network.deny[0]", `remove network.deny[0] ("203.0.113.0/24")`},
		{"* ! 203.0.113.0/24:443", "203.0.113.9:80", "+network.allow[0]", ""},
		{"* ! udp://203.0.113.0/24:80", "203.0.113.9:80", "+network.allow[0]", ""},
		{"! 203.0.113.9 any", "203.0.113.9:80", "network.deny[0]", `remove network.deny[0] ("203.0.113.9") and network.deny[1] ("any"), then --allow-net=tcp://203.0.113.9:80`},
		{"* ! *", "203.0.113.9:80", "network.deny[0]", `remove network.deny[0] ("*")`},
		{"10.0.0.0/8 ! private", "10.1.2.3:80", "network.deny[0]", `remove network.deny[0] ("private")`},

		// "*" is public unicast.
		{"*:80", "203.0.113.9:80", "+network.allow[0]", ""},
		{"*:80", "[2001:db8::1]:80", "+network.allow[0]", ""},
		{"*:80", "8.8.8.8:80", "+network.allow[0]", ""},
		{"*:80", "8.8.8.8:81", "network.default", "--allow-net=tcp://8.8.8.8:81"},
		{"*", "10.1.2.3:80", "network.default", "--allow-net=tcp://10.1.2.3:80"},

		// The words.
		{"private", "10.1.2.3:80", "+network.allow[0]", ""},
		{"private", "172.31.255.255:80", "+network.allow[0]", ""},
		{"private", "192.168.1.1:80", "+network.allow[0]", ""},
		{"private", "100.64.0.1:80", "+network.allow[0]", ""},
		{"private", "[fd12::1]:80", "+network.allow[0]", ""},
		{"private", "172.32.0.1:80", "network.default", "--allow-net=tcp://172.32.0.1:80"},
		{"private", "169.254.1.1:80", "network.default", "--allow-net=tcp://169.254.1.1:80"},
		{"link-local", "169.254.1.1:80", "+network.allow[0]", ""},
		{"link-local", "[fe80::1%eth0]:80", "+network.allow[0]", ""},
		{"link-local", "10.1.2.3:80", "network.default", "--allow-net=tcp://10.1.2.3:80"},
		{"any", "203.0.113.9:80", "+network.allow[0]", ""},
		{"any", "10.1.2.3:80", "+network.allow[0]", ""},
		{"udp://any:5353", "udp://224.0.0.251:5353", "+network.allow[0]", ""},

		// No rule makes a connection to many, or to an interface that is not named.
		{"", "224.0.0.1:80", "network.default", ""},
		{"", "[ff02::1]:80", "network.default", ""},
		{"", "255.255.255.255:80", "network.default", ""},
		{"! any", "224.0.0.1:80", "network.deny[0]", ""},
		{"", "udp://224.0.0.251:5353", "network.default", "--allow-net=udp://224.0.0.251:5353"},
		{"", "[fe80::1]:80", "network.default", ""},
		{"", "[fe80::1%2]:80", "network.default", "--allow-net=tcp://[fe80::1]:80"},

		// The host itself is out of reach of every rule.
		{"any 127.0.0.0/8", "127.0.0.1:6379", "network.host-local", "--host-loopback=tcp:6379"},
		{"any", "udp://127.0.0.53:53", "network.host-local", "--host-loopback=udp:53"},
		{"any 0.0.0.0/0", "0.0.0.0:80", "network.host-local", "--host-loopback=tcp:80"},
		{"any [::/0]", "[::]:80", "network.host-local", ""},
		{"any [::/0]", "[::1]:80", "network.host-local", ""},
		{"any", "[::ffff:127.0.0.1]:80", "network.host-local", "--host-loopback=tcp:80"},
		{"any", "[::ffff:0.0.0.0]:80", "network.host-local", "--host-loopback=tcp:80"},
		{"any * 192.0.2.1", "192.0.2.1:80", "network.host-local", ""},
		{"private 10.9.0.1", "10.9.0.1:80", "network.host-local", ""},
		{"any", "[2001:db8:9::1]:80", "network.host-local", ""},
		{"any", "[fe80::9%eth1]:80", "network.host-local", ""},
		{"any", "198.51.100.1:80", "network.host-local", ""},
		{"any", "[64:ff9b::192.0.2.1]:80", "network.host-local", ""},
		{"any", "[2002:c000:201::1]:80", "network.host-local", ""},
		{"any ! 127.0.0.0/8", "127.0.0.1:80", "network.host-local", "--host-loopback=tcp:80"},

		// Metadata needs a rule, and nobody suggests one.
		{"*", "169.254.169.254:80", "network.default", ""},
		{"*", "[fd00:ec2::254]:80", "network.default", ""},
		{"*", "[::ffff:169.254.169.254]:80", "network.default", ""},
		{"*", "168.63.129.16:80", "network.default", ""},
		{"any ! link-local", "169.254.169.254:80", "network.deny[0]", ""},
		{"169.254.169.254:80", "169.254.169.254:80", "+network.allow[0]", ""},

		// Names.
		{"example.org:443", "203.0.113.9:443 example.org", "+network.allow[0]", ""},
		{"example.org:443", "203.0.113.9:443 Example.ORG.", "+network.allow[0]", ""},
		{"example.org:443", "203.0.113.9:443", "network.default", "--allow-net=tcp://203.0.113.9:443"},
		{"example.org:443", "203.0.113.9:80 example.org", "network.default", "--allow-net=tcp://example.org:80"},
		{"*.example.org", "203.0.113.9:80 a.b.example.org", "+network.allow[0]", ""},
		{"*.example.org", "203.0.113.9:80 example.org", "network.default", "--allow-net=tcp://example.org:80"},
		{"*.example.org", "203.0.113.9:80 badexample.org", "network.default", "--allow-net=tcp://badexample.org:80"},
		{"*.example.org ! bad.example.org", "203.0.113.9:80 bad.example.org", "network.deny[0]", `remove network.deny[0] ("bad.example.org")`},
		{"*.example.org ! bad.example.org", "203.0.113.9:80 good.example.org bad.example.org", "network.deny[0]", `remove network.deny[0] ("bad.example.org")`},
		{"other.org example.org", "203.0.113.9:80 cdn.net example.org", "+network.allow[1]", ""},

		// A name opens no inner address, an address rule does.
		{"example.org", "10.1.2.3:80 example.org", "network.default", "--allow-net=tcp://10.1.2.3:80"},
		{"example.org", "169.254.169.254:80 example.org", "network.default", ""},
		{"example.org 10.0.0.0/8", "10.1.2.3:80 example.org", "+network.allow[1]", ""},

		// Other forms of IPv4 are judged as IPv4.
		{"*", "[::ffff:203.0.113.9]:80", "+network.allow[0]", ""},
		{"*", "[::ffff:10.1.2.3]:80", "network.default", "--allow-net=tcp://10.1.2.3:80"},
		{"*", "[::10.1.2.3]:80", "network.default", "--allow-net=tcp://10.1.2.3:80"},
		{"*", "[64:ff9b::203.0.113.9]:80", "+network.allow[0]", ""},
		{"*", "[64:ff9b::10.1.2.3]:80", "network.default", "--allow-net=tcp://10.1.2.3:80"},
		{"* ! 203.0.113.0/24", "[64:ff9b::203.0.113.9]:80", "network.deny[0]", `remove network.deny[0] ("203.0.113.0/24")`},
		{"[64:ff9b::203.0.113.9]", "203.0.113.9:80", "+network.allow[0]", ""},
		{"[64:ff9b::/96]", "[64:ff9b::10.1.2.3]:80", "+network.allow[0]", ""},
		{"[64:ff9b::/96]", "10.1.2.3:80", "network.default", "--allow-net=tcp://10.1.2.3:80"},

		// A site's own translator never counts as public, and no reading of its
		// addresses gets past a denial.
		{"*", "[64:ff9b:1::8.8.8.8]:80", "network.default", "--allow-net=tcp://8.8.8.8:80"},
		{"8.8.8.8", "[64:ff9b:1::8.8.8.8]:80", "+network.allow[0]", ""},
		{"any ! private", "[64:ff9b:1::10.1.2.3]:80", "network.deny[0]", `remove network.deny[0] ("private")`},
		{"any ! private", "[64:ff9b:1:a01:2:300::]:80", "network.deny[0]", `remove network.deny[0] ("private")`},
		{"8.8.8.8 ! private", "[64:ff9b:1:a01:2:300:808:808]:80", "network.deny[0]", `remove network.deny[0] ("private"), then --allow-net=tcp://[64:ff9b:1:a01:2:300:808:808]:80`},
		{"8.8.8.8", "[64:ff9b:1:a01:2:300:808:808]:80", "network.default", "--allow-net=tcp://[64:ff9b:1:a01:2:300:808:808]:80"},

		// 6to4 and Teredo embed an address, and reach another.
		{"*", "[2002:cb00:7109::1]:80", "network.default", "--allow-net=tcp://[2002:cb00:7109::1]:80"},
		{"203.0.113.9", "[2002:cb00:7109::1]:80", "network.default", "--allow-net=tcp://[2002:cb00:7109::1]:80"},
		{"[2002:cb00:7109::/48]", "[2002:cb00:7109::1]:80", "+network.allow[0]", ""},
		{"any ! 203.0.113.0/24", "[2002:cb00:7109::1]:80", "network.deny[0]", `remove network.deny[0] ("203.0.113.0/24")`},
		{"any ! 203.0.113.0/24", "[2001:0:cb00:7109::]:80", "network.deny[0]", `remove network.deny[0] ("203.0.113.0/24")`},
		{"any ! 203.0.113.0/24", "[2001:0:808:808:0:0:34ff:8ef6]:80", "network.deny[0]", `remove network.deny[0] ("203.0.113.0/24")`},
		{"private", "[2002:a01:203::1]:80", "+network.allow[0]", ""},
		{"any", "[2001:0:808:808::]:80", "+network.allow[0]", ""},
	}
	for _, test := range tests {
		d := set(t, test.rules).Decide(endpoint(t, test.endpoint), testHost())
		rule, allowed := strings.CutPrefix(test.rule, "+")
		if (d.Verdict == Allow) != allowed || d.Rule != rule || d.Hint != test.hint {
			t.Errorf("rules %q, endpoint %q: verdict %d by %s, hint %q; want %s, hint %q",
				test.rules, test.endpoint, d.Verdict, d.Rule, d.Hint, test.rule, test.hint)
		}
	}
}

func TestDecideRefusesNonsense(t *testing.T) {
	rules := set(t, "any udp://any:1-65535")
	for _, e := range []Endpoint{
		{},
		{Protocol: TCP},
		{Addr: netip.MustParseAddrPort("203.0.113.9:80")},
		{Protocol: UDP + 1, Addr: netip.MustParseAddrPort("203.0.113.9:80")},
	} {
		if d := rules.Decide(e, HostFacts{}); d.Verdict != Deny || d.Rule != RuleDefault || d.Hint != "" {
			t.Errorf("endpoint %+v: %+v", e, d)
		}
	}
	var zero Set
	if d := zero.Decide(endpoint(t, "203.0.113.9:80"), HostFacts{}); d.Verdict != Deny {
		t.Error("a set without rules allows")
	}
	zeroRule := Set{Allow: []Rule{{}}}
	if d := zeroRule.Decide(endpoint(t, "203.0.113.9:80"), HostFacts{}); d.Verdict != Deny {
		t.Error("the zero rule allows")
	}
}

// TestPublic walks over both ends of every special range.
func TestPublic(t *testing.T) {
	outside := []string{
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
		"192.0.0.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4",
		"255.255.255.255/32", "168.63.129.16/32",
		"::/128", "::1/128", "100::/64", "2001::/23", "2002::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8", "4000::/3", "5f00::/16",
	}
	for _, text := range outside {
		prefix := netip.MustParsePrefix(text)
		for _, addr := range []netip.Addr{prefix.Addr(), lastAddr(prefix)} {
			if formsOf(addr).public() {
				t.Errorf("%s of %s counts as public", addr, text)
			}
		}
	}
	inside := []string{
		"1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
		"169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.0.2.1", "198.51.100.1", "203.0.113.1",
		"192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
		"2000::", "2001:200::", "2001:db8::1", "2003::", "2606:4700::1", "3fff::1", "3fff:ffff::",
	}
	for _, text := range inside {
		if !formsOf(netip.MustParseAddr(text)).public() {
			t.Errorf("%s does not count as public", text)
		}
	}
}

func lastAddr(prefix netip.Prefix) netip.Addr {
	bytes := prefix.Masked().Addr().AsSlice()
	for bit := prefix.Bits(); bit < len(bytes)*8; bit++ {
		bytes[bit/8] |= 0x80 >> (bit % 8)
	}
	addr, _ := netip.AddrFromSlice(bytes)
	return addr
}

func TestCanonical(t *testing.T) {
	for text, want := range map[string]string{
		"203.0.113.9":                     "203.0.113.9",
		"::ffff:203.0.113.9":              "203.0.113.9",
		"::203.0.113.9":                   "203.0.113.9",
		"64:ff9b::203.0.113.9":            "203.0.113.9",
		"64:ff9b:1::203.0.113.9":          "203.0.113.9",
		"64:ff9b:1:cb00:71:900::":         "203.0.113.9",
		"64:ff9b:1:cb00:71:900:1:1":       "64:ff9b:1:cb00:71:900:1:1",
		"64:ff9b:1::":                     "64:ff9b:1::",
		"::":                              "::",
		"::1":                             "::1",
		"::ffff:0.0.0.0":                  "0.0.0.0",
		"fe80::1%eth0":                    "fe80::1",
		"::ffff:203.0.113.9%eth0":         "203.0.113.9",
		"2002:cb00:7109::1":               "2002:cb00:7109::1",
		"2001:0:808:808:0:0:34ff:8ef6":    "2001:0:808:808::34ff:8ef6",
		"64:ff9b:0:0:0:1:203.0.113.9":     "64:ff9b::1:cb00:7109",
		"2001:db8:0:0:0:ffff:203.0.113.9": "2001:db8::ffff:cb00:7109",
	} {
		if got := Canonical(netip.MustParseAddr(text)).String(); got != want {
			t.Errorf("Canonical(%s) = %s, want %s", text, got, want)
		}
	}
}
