package netrule

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	tests := []struct{ text, canonical string }{
		{"example.org", "tcp://example.org"},
		{"example.org.", "tcp://example.org"},
		{"Example.ORG:80", "tcp://example.org:80"},
		{"tcp://example.org:80,443,8000-8100", "tcp://example.org:80,443,8000-8100"},
		{"udp://example.org:53", "udp://example.org:53"},
		{"*.Example.org", "tcp://*.example.org"},
		{"bücher.example:443", "tcp://xn--bcher-kva.example:443"},
		{"faß.example", "tcp://xn--fa-hia.example"},
		{"xn--bcher-kva.example", "tcp://xn--bcher-kva.example"},
		{"my_service.internal:5432", "tcp://my_service.internal:5432"},
		{"db", "tcp://db"},
		{"203.0.113.9", "tcp://203.0.113.9"},
		{"203.0.113.0/24:80", "tcp://203.0.113.0/24:80"},
		{"203.0.113.9/32", "tcp://203.0.113.9"},
		{"0.0.0.0/0", "tcp://0.0.0.0/0"},
		{"[2001:db8::1]", "tcp://[2001:db8::1]"},
		{"[2001:DB8:0::1]:443", "tcp://[2001:db8::1]:443"},
		{"udp://[2001:db8::/32]:53", "udp://[2001:db8::/32]:53"},
		{"[::ffff:203.0.113.9]:80", "tcp://203.0.113.9:80"},
		{"[::ffff:203.0.113.0/120]", "tcp://203.0.113.0/24"},
		{"[::ffff:0.0.0.0/96]", "tcp://0.0.0.0/0"},
		{"[64:ff9b::203.0.113.9]", "tcp://203.0.113.9"},
		{"[64:ff9b::/96]", "tcp://[64:ff9b::/96]"},
		{"*", "tcp://*"},
		{"*:80", "tcp://*:80"},
		{"udp://*:53", "udp://*:53"},
		{"private", "tcp://private"},
		{"link-local:80", "tcp://link-local:80"},
		{"Any", "tcp://any"},
		{"any:1-65535", "tcp://any:1-65535"},
	}
	for _, test := range tests {
		rule, err := Parse(test.text, "network.allow[0]")
		if err != nil {
			t.Errorf("Parse(%q): %v", test.text, err)
			continue
		}
		if rule.String() != test.canonical {
			t.Errorf("Parse(%q) = %s, want %s", test.text, rule, test.canonical)
		}
		if rule.Text != test.text || rule.ID != "network.allow[0]" {
			t.Errorf("Parse(%q) keeps text %q and id %q", test.text, rule.Text, rule.ID)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct {
		text     string
		offset   int
		expected string // part of Expected
	}{
		{"", 0, "a rule such as"},
		{" ", 0, "a rule such as"},
		{"example.org :80", 11, "white space"},
		{"a\x00b", 1, "control character"},
		{"http://example.org", 0, `"tcp://example.org:80"`},
		{"https://example.org", 0, `"tcp://example.org:443"`},
		{"icmp://example.org", 0, "tcp:// or udp://"},
		{"TCP://example.org", 0, "tcp:// or udp://"},
		{"tcp://", 6, "a host name, an address"},
		{":80", 0, "a host name, an address"},
		{"udp://example.org", 17, "the ports of a UDP rule"},
		{"example.org:", 12, "a port from 1 to 65535"},
		{"example.org:0", 12, "a port from 1 to 65535"},
		{"example.org:65536", 12, "a port from 1 to 65535"},
		{"example.org:080", 12, "a port from 1 to 65535"},
		{"example.org:+80", 12, "a port from 1 to 65535"},
		{"example.org:http", 12, "a port from 1 to 65535"},
		{"example.org:80,", 15, "a port from 1 to 65535"},
		{"example.org:80,,443", 15, "a port from 1 to 65535"},
		{"example.org:80-", 15, "a port from 1 to 65535"},
		{"example.org:80-90-100", 15, "a port from 1 to 65535"},
		{"example.org:90-80", 12, "the lower port first"},
		{"example.org:*", 12, `no ":"`},
		{"example.org/path:80", 0, "a rule has no path"},
		{"2001:db8::1", 0, "[2001:db8::1]"},
		{"2001:db8::1:443", 0, "[2001:db8::1:443], an IPv6 address in brackets, or [2001:db8::1]:443 with a port"},
		{"2001:db8:0:0:0:0:0:1:443", 0, "[2001:db8:0:0:0:0:0:1]:443 with a port"},
		{"2001:db8::/32", 0, "[2001:db8::/32]"},
		{"tcp://2001:db8::1", 6, "[2001:db8::1]"},
		{"[2001:db8::1", 12, `"]"`},
		{"[2001:db8::1]80", 13, `":" and ports`},
		{"[2001:db8::]/32", 12, "inside the brackets"},
		{"[203.0.113.9]", 1, "an IPv6 address"},
		{"[203.0.113.0/24]", 1, "an IPv6 CIDR"},
		{"[fe80::1%eth0]", 1, "without a zone"},
		{"[example.org]", 1, "an IPv6 address"},
		{"[]", 1, "an IPv6 address"},
		{"10.0.0.1/8", 0, "the network 10.0.0.0/8"},
		{"[2001:db8::1/32]", 1, "the network 2001:db8::/32"},
		{"10.0.0.0/33", 0, "a CIDR"},
		{"10.0.0/8", 0, "a CIDR"},
		{"256.0.0.1", 0, "four decimal numbers"},
		{"010.0.0.1", 0, "four decimal numbers"},
		{"127.1", 0, "four decimal numbers"},
		{"0x7f000001", 0, "four decimal numbers"},
		{"１２７.0.0.1", 0, "four decimal numbers"},
		{"*.*.example.org", 2, `"*" alone or as the first label`},
		{"a.*.example.org", 2, `"*" alone or as the first label`},
		{"*example.org", 0, `"*" alone or as the first label`},
		{"*.", 2, "1 to 63 bytes"},
		{"example..org", 0, "1 to 63 bytes"},
		{".example.org", 0, "1 to 63 bytes"},
		{"-a.example", 0, "hyphen"},
		{"a-.example", 0, "hyphen"},
		{"exa mple.org", 3, "white space"},
		{"exam!ple.org", 0, "letters, digits"},
		{"user@example.org", 0, "letters, digits"},
		{"xn--a.example", 0, "IDNA"},
		{"link-local.", 0, `the word "link-local" itself`},
		{"ａny", 0, `the word "any" itself`},
		{strings.Repeat("a", 64) + ".example", 0, "1 to 63 bytes"},
		{strings.Repeat("a.", 127) + "example", 0, "at most 253 bytes"},
	}
	for _, test := range tests {
		rule, err := Parse(test.text, "x")
		var syntax *SyntaxError
		if !errors.As(err, &syntax) {
			t.Errorf("Parse(%q) = %v, %v; want a *SyntaxError", test.text, rule, err)
			continue
		}
		if syntax.Offset != test.offset || !strings.Contains(syntax.Expected, test.expected) {
			t.Errorf("Parse(%q): offset %d, expected %q; want offset %d, %q", test.text, syntax.Offset, syntax.Expected, test.offset, test.expected)
		}
		if !reflect.DeepEqual(rule, Rule{}) {
			t.Errorf("Parse(%q) returns a rule beside its error: %v", test.text, rule)
		}
	}
}

// FuzzParse holds that Parse never panics, that its error points into the text,
// and that the canonical form of a rule is read back as the same rule.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"tcp://example.org:80,443,8000-8100", "udp://[2001:db8::/32]:53", "*.bücher.example",
		"[::ffff:10.0.0.0/104]:1-65535", "10.0.0.1/8", "private", "link-local:80", "xn--a", "[64:ff9b:1::a00:1]", "ǅ.example",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rule, err := Parse(text, "x")
		if err != nil {
			var syntax *SyntaxError
			if !errors.As(err, &syntax) {
				t.Fatalf("Parse(%q): error %v is not a *SyntaxError", text, err)
			}
			if !strings.HasPrefix(text[syntax.Offset:], syntax.Found) || syntax.Expected == "" {
				t.Fatalf("Parse(%q): error %#v does not point at its finding", text, syntax)
			}
			return
		}
		again, err := Parse(rule.String(), "x")
		if err != nil {
			t.Fatalf("Parse(%q) is %s, which is no rule: %v", text, rule, err)
		}
		again.Text = rule.Text
		if !reflect.DeepEqual(again, rule) {
			t.Fatalf("Parse(%q) = %#v, but its text %s gives %#v", text, rule, rule, again)
		}
	})
}
