package netrule

import (
	"net/netip"
	"slices"
)

// Ranges in which an IPv6 address carries an IPv4 address.
var (
	compatible    = netip.MustParsePrefix("::/96")          // RFC 4291 section 2.5.5.1
	nat64         = netip.MustParsePrefix("64:ff9b::/96")   // RFC 6052
	nat64LocalUse = netip.MustParsePrefix("64:ff9b:1::/48") // RFC 8215
	sixToFour     = netip.MustParsePrefix("2002::/16")      // RFC 3056
	teredo        = netip.MustParsePrefix("2001::/32")      // RFC 4380
)

// privateRanges are what the word "private" stands for.
var privateRanges = prefixes(
	"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", // RFC 1918
	"100.64.0.0/10", // RFC 6598, carrier-grade NAT
	"fc00::/7",      // RFC 4193, unique local
)

// linkLocalRanges are what the word "link-local" stands for.
var linkLocalRanges = prefixes("169.254.0.0/16", "fe80::/10")

// notPublic4 are the IPv4 ranges outside public unicast, by the IANA special
// purpose registry. The documentation ranges (TEST-NET, 2001:db8::/32) count as
// public: nothing of the host's can be there, and examples and tests use them.
var notPublic4 = append(prefixes(
	"0.0.0.0/8",
	"127.0.0.0/8",
	"192.0.0.0/24",     // RFC 6890, protocol assignments
	"192.88.99.0/24",   // RFC 7526, former 6to4 relays
	"198.18.0.0/15",    // RFC 2544, benchmarks
	"224.0.0.0/4",      // multicast
	"240.0.0.0/4",      // reserved, and broadcast
	"169.254.0.0/16",   // link-local, RFC 3927
	"168.63.129.16/32", // Azure's platform address, see metadata
), privateRanges...)

// public6 is global unicast, RFC 4291 section 2.4; notPublic6 are its special
// ranges. Everything outside public6 is not public.
var (
	public6    = netip.MustParsePrefix("2000::/3")
	notPublic6 = append(prefixes(
		"2001::/23", // RFC 2928, protocol assignments with Teredo
		"2002::/16", // 6to4
	), privateRanges...)
)

// metadata are the addresses at which clouds give credentials to whoever asks.
// They follow the general rules, but no hint ever suggests to allow one.
var metadata = []netip.Addr{
	netip.MustParseAddr("169.254.169.254"), // AWS, Google Cloud, Azure, OpenStack and others
	netip.MustParseAddr("169.254.170.2"),   // AWS container credentials
	netip.MustParseAddr("169.254.170.23"),  // AWS EKS pod identity
	netip.MustParseAddr("fd00:ec2::254"),   // AWS
	netip.MustParseAddr("fd00:ec2::23"),    // AWS EKS pod identity
	netip.MustParseAddr("fd20:ce::254"),    // Google Cloud
	netip.MustParseAddr("100.100.100.200"), // Alibaba Cloud
	netip.MustParseAddr("192.0.0.192"),     // Oracle Cloud, first generation
	netip.MustParseAddr("168.63.129.16"),   // Azure wire server
}

func prefixes(texts ...string) []netip.Prefix {
	ranges := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		ranges[i] = netip.MustParsePrefix(text)
	}
	return ranges
}

func within(ranges []netip.Prefix, addr netip.Addr) bool {
	return slices.ContainsFunc(ranges, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// any reports whether one of the readings of f satisfies test.
func (f forms) any(test func(netip.Addr) bool) bool {
	return test(f.canonical) || test(f.raw) || slices.ContainsFunc(f.embedded, test)
}

// public reports whether f is public unicast by every reading that counts. A
// site's own translator decides what an address of its range means, so those
// are never public.
func (f forms) public() bool { return !f.localUse && isPublic(f.canonical) }

func isPublic(addr netip.Addr) bool {
	if addr.Is4() {
		return !within(notPublic4, addr)
	}
	return public6.Contains(addr) && !within(notPublic6, addr)
}

func (f forms) metadata() bool {
	return f.any(func(addr netip.Addr) bool { return slices.Contains(metadata, addr) })
}

// loopback reports whether addr leads to the machine it is used on. Linux
// connects 0.0.0.0 and :: to loopback (ip(7), ipv6(7)).
func loopback(addr netip.Addr) bool { return addr.IsLoopback() || addr.IsUnspecified() }

// hostLocal reports whether any reading of f is loopback or an address of the
// host.
func (f forms) hostLocal(host HostFacts) bool {
	return f.any(func(addr netip.Addr) bool {
		if loopback(addr) {
			return true
		}
		return slices.ContainsFunc(host.Local, func(local netip.Addr) bool {
			return addr == local || addr == Canonical(local)
		})
	})
}
