package netrule

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// world makes random rules and endpoints that often have to do with each other.
type world struct{ *rand.Rand }

func (w world) pick(of ...string) string { return of[w.IntN(len(of))] }

func (w world) address4() string {
	return w.pick("203.0.113.9", "203.0.113.10", "8.8.8.8", "10.1.2.3", "100.64.0.1", "169.254.169.254", "169.254.1.1",
		"127.0.0.1", "0.0.0.0", "192.0.2.1", "224.0.0.1", "255.255.255.255", "198.18.0.1", "192.0.0.9")
}

func (w world) address() string {
	return w.pick(w.address4(), "::ffff:"+w.address4(), "::"+w.address4(), "64:ff9b::"+w.address4(), "64:ff9b:1::"+w.address4(),
		"64:ff9b:1:a01:2:300::", "64:ff9b:1:a01:2:300:808:808", "2002:cb00:7109::1", "2002:a01:203::1", "2001:0:808:808:0:0:34ff:8ef6",
		"2001:db8::1", "2001:db8:9::1", "fd12::1", "fd00:ec2::254", "fe80::1%eth0", "ff02::1", "::1", "::")
}

func (w world) name() string {
	return w.pick("example.org", "a.example.org", "b.a.example.org", "example.net", "internal")
}

func (w world) ports() string { return w.pick("80", "443", "53", "80,443", "1-65535", "1-79,81-65535") }

func (w world) rule() string {
	prefix := netip.MustParsePrefix(w.pick("203.0.113.0/24", "10.0.0.0/8", "0.0.0.0/0", "64:ff9b::/96", "2001:db8::/32", "2002::/16", "::/0")).String()
	target := w.pick(w.name(), "*."+w.name(), "*", "private", "link-local", "any", "cidr", "address")
	switch target {
	case "cidr":
		target = prefix
		if strings.Contains(prefix, ":") {
			target = "[" + prefix + "]"
		}
	case "address":
		target = addressTarget(netip.MustParseAddr(w.address()).WithZone(""))
	}
	if w.IntN(4) == 0 {
		return "udp://" + target + ":" + w.ports()
	}
	if w.IntN(3) == 0 {
		return target
	}
	return target + ":" + w.ports()
}

func (w world) rules() string {
	var rules []string
	for range w.IntN(4) {
		rules = append(rules, w.rule())
	}
	return strings.Join(rules, " ")
}

func (w world) endpoint() Endpoint {
	e := Endpoint{Protocol: TCP, Addr: netip.AddrPortFrom(netip.MustParseAddr(w.address()), uint16(w.IntN(3)*w.IntN(2)*40))}
	if port := w.pick("80", "443", "53", ""); port != "" {
		var number uint16
		_, _ = fmt.Sscan(port, &number)
		e.Addr = netip.AddrPortFrom(e.Addr.Addr(), number)
	}
	if w.IntN(4) == 0 {
		e.Protocol = UDP
	}
	for range w.IntN(3) {
		e.Names = append(e.Names, w.name())
	}
	return e
}

// always runs a property over many random worlds, the same ones each time.
func always(t *testing.T, property func(*testing.T, world)) {
	t.Helper()
	for seed := range uint64(20000) {
		property(t, world{rand.New(rand.NewPCG(seed, 1))})
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// TestAddingRulesIsMonotonic: an allow rule never takes away, a deny rule never
// gives.
func TestAddingRulesIsMonotonic(t *testing.T) {
	always(t, func(t *testing.T, w world) {
		text, e := w.rules()+" ! "+w.rules(), w.endpoint()
		before := set(t, text)
		verdict := before.Decide(e, testHost()).Verdict
		more := set(t, w.rule())
		wider := Set{Allow: append(slices.Clone(before.Allow), more.Allow...), Deny: before.Deny}
		narrower := Set{Allow: before.Allow, Deny: append(slices.Clone(before.Deny), more.Allow...)}
		if verdict == Allow && wider.Decide(e, testHost()).Verdict != Allow {
			t.Errorf("%q allows %v, but not with %q in allow", text, e, more.Allow)
		}
		if verdict == Deny && narrower.Decide(e, testHost()).Verdict != Deny {
			t.Errorf("%q denies %v, but not with %q in deny", text, e, more.Allow)
		}
	})
}

// TestHostIsNeverReached: whatever the rules, no reading of an allowed address
// is the host's.
func TestHostIsNeverReached(t *testing.T) {
	always(t, func(t *testing.T, w world) {
		text, e := w.rules()+" any udp://any:1-65535", w.endpoint()
		d := set(t, text).Decide(e, testHost())
		local := formsOf(e.Addr.Addr()).any(func(addr netip.Addr) bool {
			return addr.IsLoopback() || addr.IsUnspecified() || slices.Contains(testHost().Local, addr)
		})
		if local != (d.Rule == RuleHostLocal) || local && d.Verdict == Allow {
			t.Errorf("%q decides %+v for %v", text, d, e)
		}
	})
}

// TestHintsAreTrue: doing what a hint says allows the very call.
func TestHintsAreTrue(t *testing.T) {
	hints := 0
	always(t, func(t *testing.T, w world) {
		text, e := w.rules()+" ! "+w.rules(), w.endpoint()
		s := set(t, text)
		d := s.Decide(e, testHost())
		switch {
		case d.Verdict == Allow && d.Hint != "":
			t.Errorf("%q allows %v with hint %q", text, e, d.Hint)
		case d.Verdict == Allow, d.Hint == "", d.Rule == RuleHostLocal:
			return
		}
		hints++
		after := Set{Allow: s.Allow}
		for _, rule := range s.Deny {
			if !strings.Contains(d.Hint, rule.ID+" ") {
				after.Deny = append(after.Deny, rule)
			}
		}
		if _, flag, found := strings.Cut(d.Hint, "--allow-net="); found {
			after.Allow = append(slices.Clone(after.Allow), set(t, flag).Allow...)
		}
		if after.Decide(e, testHost()).Verdict != Allow {
			t.Errorf("%q denies %v, and still does after %q", text, e, d.Hint)
		}
		if formsOf(e.Addr.Addr()).metadata() {
			t.Errorf("%q suggests %q for metadata", text, d.Hint)
		}
	})
	if hints < 1000 {
		t.Errorf("only %d hints were tried", hints)
	}
}

// TestFormsOfIPv4AreOne: however an IPv4 address is written, the verdict and the
// rule are the same, unless a rule names the form itself.
func TestFormsOfIPv4AreOne(t *testing.T) {
	always(t, func(t *testing.T, w world) {
		text, e := w.rules()+" ! "+w.rules(), w.endpoint()
		if strings.Contains(text, "64:ff9b::/96") || strings.Contains(text, "::/0") {
			return
		}
		v4, s := w.address4(), set(t, text)
		e.Addr = netip.AddrPortFrom(netip.MustParseAddr(v4), e.Addr.Port())
		want := s.Decide(e, testHost())
		for _, form := range []string{"::ffff:", "64:ff9b::"} {
			e.Addr = netip.AddrPortFrom(netip.MustParseAddr(form+v4), e.Addr.Port())
			if got := s.Decide(e, testHost()); got != want {
				t.Errorf("%q: %s is decided %+v, %s%s %+v", text, v4, want, form, v4, got)
			}
		}
	})
}

// TestPublicRulesStayPublic: "*" and names allow nothing but public addresses.
func TestPublicRulesStayPublic(t *testing.T) {
	always(t, func(t *testing.T, w world) {
		e := w.endpoint()
		d := set(t, "* *.example.org example.org internal udp://*:1-65535").Decide(e, testHost())
		if d.Verdict == Allow && !isPublic(d.Canonical.Addr()) {
			t.Errorf("%v is allowed by %s", e, d.Rule)
		}
	})
}

func BenchmarkDecide(b *testing.B) {
	s := set(b, "*.example.org:80,443 203.0.113.0/24:80 *:443 ! private link-local 198.51.100.0/24")
	for _, text := range []string{"203.0.113.9:443", "203.0.113.9:22", "10.1.2.3:80", "[2001:db8::1]:443 a.example.org"} {
		e, host := endpoint(b, text), testHost()
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.Decide(e, host)
			}
		})
	}
}
