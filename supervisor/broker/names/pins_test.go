package names

import (
	"net/netip"
	"testing"
	"time"
)

func TestPinsLiveWithinTheirBounds(t *testing.T) {
	var p Pins
	now, addr := time.Now(), netip.MustParseAddr("203.0.113.1")
	p.Add(addr, "short.test", 0, now)
	p.Add(addr, "long.test", 24*time.Hour, now)
	for _, c := range []struct {
		after time.Duration
		want  int
	}{{0, 2}, {59 * time.Second, 2}, {61 * time.Second, 1}, {59 * time.Minute, 1}, {61 * time.Minute, 0}} {
		if got := p.Names(addr, now.Add(c.after)); len(got) != c.want {
			t.Errorf("after %v: %q, want %d names", c.after, got, c.want)
		}
	}
	mapped := netip.AddrFrom16(addr.As16())
	if got := p.Names(mapped, now); len(got) != 2 {
		t.Errorf("the IPv4-mapped form has %q", got)
	}
}

func TestFullTableRefusesAndForgetsOnlyTheDead(t *testing.T) {
	var p Pins
	now := time.Now()
	at := netip.MustParseAddr("198.18.0.0")
	for range mostPins {
		if !p.Add(at, "a.test", time.Minute, now) {
			t.Fatal("refused below the bound")
		}
		at = at.Next()
	}
	if p.Add(at, "b.test", time.Minute, now) {
		t.Error("a full table of live pins took another")
	}
	if !p.Add(at, "b.test", time.Minute, now.Add(2*time.Minute)) {
		t.Error("a table of dead pins refused")
	}
}
