package netrule

import (
	"net/netip"
	"slices"
)

// Canonical gives the address that an address really leads to: the zone is
// dropped, and IPv4-mapped (RFC 4291 2.5.5.2), IPv4-compatible (2.5.5.1) and
// NAT64 forms (RFC 6052 64:ff9b::/96, RFC 8215 64:ff9b:1::/48) are unwrapped.
// 6to4 and Teredo addresses only embed an IPv4 address, they are not another
// form of it, and stay as they are. A NAT64 prefix out of a network's own range
// (RFC 6052 section 2.2) looks like any other address and is not recognised.
func Canonical(addr netip.Addr) netip.Addr {
	return formsOf(addr).canonical
}

// Readings are the addresses that an address leads to by one reading or another:
// its canonical form first, then as written, then those that it embeds. Each is
// judged like the address itself where the host is concerned.
func Readings(addr netip.Addr) []netip.Addr {
	if !addr.IsValid() {
		return nil
	}
	f := formsOf(addr)
	readings := []netip.Addr{f.canonical}
	for _, other := range append([]netip.Addr{f.raw}, f.embedded...) {
		if !slices.Contains(readings, other) {
			readings = append(readings, other)
		}
	}
	return readings
}

// forms is an address with everything it could turn out to be on its way.
type forms struct {
	raw       netip.Addr // as given, without zone and IPv4-mapping
	canonical netip.Addr
	embedded  []netip.Addr // IPv4 addresses that a relay or translator may take from it
	localUse  bool         // within 64:ff9b:1::/48, whose translator is the site's own
}

func formsOf(addr netip.Addr) forms {
	raw := addr.Unmap().WithZone("")
	f := forms{raw: raw, canonical: raw}
	if !raw.Is6() {
		return f
	}
	b := raw.As16()
	switch {
	case nat64.Contains(raw):
		f.canonical = v4(b[12], b[13], b[14], b[15])
	case nat64LocalUse.Contains(raw):
		f.localUse = true
		f.canonical, f.embedded = unwrapLocalUse(raw, b)
	case compatible.Contains(raw) && !raw.IsLoopback() && !raw.IsUnspecified():
		f.canonical = v4(b[12], b[13], b[14], b[15])
	case sixToFour.Contains(raw):
		f.embedded = []netip.Addr{v4(b[2], b[3], b[4], b[5])}
	case teredo.Contains(raw):
		f.embedded = []netip.Addr{
			v4(b[4], b[5], b[6], b[7]),
			v4(^b[12], ^b[13], ^b[14], ^b[15]),
		}
	}
	return f
}

// unwrapLocalUse reads an address of 64:ff9b:1::/48. The site chooses the length
// of its prefix, so the IPv4 address may stand in four places (RFC 6052 section
// 2.2, byte 8 is skipped). Only where one reading has all other bytes zero is it
// taken as the address; otherwise the address stays whole. Every reading that is
// not 0.0.0.0 counts as embedded, so that no translator is led past a denial.
func unwrapLocalUse(raw netip.Addr, b [16]byte) (canonical netip.Addr, embedded []netip.Addr) {
	readings := []netip.Addr{
		v4(b[12], b[13], b[14], b[15]), // 64:ff9b:1:0:0:0::/96
		v4(b[6], b[7], b[9], b[10]),    // /48
		v4(b[7], b[9], b[10], b[11]),   // /56
		v4(b[9], b[10], b[11], b[12]),  // /64
	}
	for _, reading := range readings {
		if !reading.IsUnspecified() {
			embedded = append(embedded, reading)
		}
	}
	zero := func(bytes []byte) bool {
		for _, value := range bytes {
			if value != 0 {
				return false
			}
		}
		return true
	}
	switch {
	case zero(b[6:12]) && !readings[0].IsUnspecified():
		return readings[0], embedded
	case b[8] == 0 && zero(b[11:16]) && !readings[1].IsUnspecified():
		return readings[1], embedded
	}
	return raw, embedded
}

func v4(a, b, c, d byte) netip.Addr { return netip.AddrFrom4([4]byte{a, b, c, d}) }
