package broker

import (
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/netrule"
)

// Kinds of sockets for the tables.
var (
	guestTCP  = socketKind{domain: unix.AF_INET, kind: unix.SOCK_STREAM, protocol: unix.IPPROTO_TCP}
	guestTCP6 = socketKind{domain: unix.AF_INET6, kind: unix.SOCK_STREAM, protocol: unix.IPPROTO_TCP}
	guestUDP  = socketKind{domain: unix.AF_INET, kind: unix.SOCK_DGRAM, protocol: unix.IPPROTO_UDP}
	local     = socketKind{domain: unix.AF_UNIX, kind: unix.SOCK_STREAM}
)

func onHost(k socketKind) socketKind {
	k.host = true
	return k
}

func ofType(k socketKind, kind, protocol int) socketKind {
	k.kind, k.protocol = kind, protocol
	return k
}

func to(class addressClass, address string) destination {
	d := destination{class: class}
	if address != "" {
		d.addr = netip.MustParseAddrPort(address)
	}
	return d
}

func TestDecideConnect(t *testing.T) {
	config := allowing(t, "203.0.113.9:80", "[2001:db8::9]:443")
	config.HostLoopback = []uint16{6379}
	config.Errno = unix.ENETUNREACH
	r := newRules(config)
	permitted, refused := to(outside, "203.0.113.9:80"), to(outside, "203.0.113.9:81")
	inside, forwarded := to(loopback, "127.0.0.1:80"), to(loopback, "127.0.0.1:6379")
	bad := destination{errno: unix.EINVAL}
	for name, test := range map[string]struct {
		kind  socketKind
		to    destination
		act   act
		errno unix.Errno
		rule  string // "" where nothing is recorded
	}{
		"permitted":              {guestTCP, permitted, handOff, 0, "network.allow[0]"},
		"permitted, IPv6":        {guestTCP6, to(outside, "[2001:db8::9]:443"), handOff, 0, "network.allow[1]"},
		"permitted, mapped":      {guestTCP6, to(outside, "[::ffff:203.0.113.9]:80"), handOff, 0, "network.allow[0]"},
		"refused":                {guestTCP, refused, refuse, unix.ENETUNREACH, netrule.RuleDefault},
		"loopback":               {guestTCP, inside, inPlace, 0, ""},
		"loopback, forwarded":    {guestTCP, forwarded, handOff, 0, netrule.RuleHostLoopback},
		"forwarded, IPv6":        {guestTCP6, to(loopback, "[::1]:6379"), handOff, 0, netrule.RuleHostLoopback},
		"forwarded, unspecified": {guestTCP, to(loopback, "0.0.0.0:6379"), inPlace, 0, ""},
		"malformed":              {guestTCP, bad, inPlace, 0, ""},
		"dissolve":               {guestTCP, to(unspecified, ""), inPlace, 0, ""},

		"host socket, permitted":           {onHost(guestTCP), permitted, inPlace, 0, "network.allow[0]"},
		"host socket, refused":             {onHost(guestTCP), refused, refuse, unix.ENETUNREACH, netrule.RuleDefault},
		"host socket, loopback":            {onHost(guestTCP), inside, giveBack, 0, ""},
		"host socket, loopback, forwarded": {onHost(guestTCP), forwarded, inPlace, 0, netrule.RuleHostLoopback},
		"host socket, unspecified address": {onHost(guestTCP), to(loopback, "0.0.0.0:6379"), giveBack, 0, ""},
		"host socket, malformed":           {onHost(guestTCP), bad, refuse, unix.EINVAL, ""},
		"host socket, dissolve":            {onHost(guestTCP), to(unspecified, ""), giveBack, 0, ""},
		"host socket, local name":          {onHost(guestTCP), to(localName, ""), refuse, unix.EAFNOSUPPORT, ""},

		"datagram, anywhere":    {guestUDP, refused, inPlace, 0, ""},
		"datagram, host socket": {onHost(guestUDP), permitted, refuse, unix.ENETUNREACH, ruleFamilies},
		"multipath":             {ofType(guestTCP, unix.SOCK_STREAM, unix.IPPROTO_MPTCP), permitted, refuse, unix.ENETUNREACH, ruleFamilies},
		"raw":                   {ofType(guestTCP, unix.SOCK_RAW, unix.IPPROTO_ICMP), inside, refuse, unix.ENETUNREACH, ruleFamilies},
		"netlink":               {socketKind{domain: unix.AF_NETLINK}, bad, refuse, unix.ENETUNREACH, ruleFamilies},
		"vsock":                 {socketKind{domain: unix.AF_VSOCK, kind: unix.SOCK_STREAM}, bad, refuse, unix.ENETUNREACH, ruleFamilies},
		"nothing known":         {socketKind{}, destination{}, refuse, unix.ENETUNREACH, ruleFamilies},

		"local path":              {local, to(localPath, ""), byPath, 0, ""},
		"local name":              {local, to(localName, ""), inPlace, 0, ""},
		"local path, host socket": {onHost(local), to(localPath, ""), byPath, 0, ""},
		"local name, host socket": {onHost(local), to(localName, ""), refuse, unix.ENETUNREACH, ruleFamilies},
	} {
		d := r.connect(test.kind, test.to)
		rule := ""
		if d.judged {
			rule = d.network.Rule
		}
		if d.act != test.act || d.errno != test.errno || rule != test.rule {
			t.Errorf("%s: act %d errno %v rule %q, want %d %v %q", name, d.act, d.errno, rule, test.act, test.errno, test.rule)
		}
	}
}

func TestDecideSend(t *testing.T) {
	r := newRules(allowing(t, "udp://203.0.113.9:53"))
	r.errno = unix.EACCES
	for name, test := range map[string]struct {
		kind  socketKind
		to    destination
		act   act
		errno unix.Errno
		rule  string
	}{
		"permitted datagram": {guestUDP, to(outside, "203.0.113.9:53"), inPlace, 0, "network.allow[0]"},
		"refused datagram":   {guestUDP, to(outside, "203.0.113.9:54"), refuse, unix.EACCES, netrule.RuleDefault},
		"datagram inside":    {guestUDP, to(loopback, "127.0.0.1:54"), inPlace, 0, ""},
		"malformed datagram": {guestUDP, destination{errno: unix.EINVAL}, inPlace, 0, ""},
		"host datagram":      {onHost(guestUDP), to(loopback, "127.0.0.1:54"), refuse, unix.EACCES, ruleFamilies},
		"stream":             {guestTCP, to(outside, "203.0.113.9:54"), inPlace, 0, ""},
		"host stream":        {onHost(guestTCP), to(outside, "203.0.113.9:54"), inPlace, 0, ""},
		"raw":                {ofType(guestTCP, unix.SOCK_RAW, unix.IPPROTO_ICMP), to(loopback, "127.0.0.1:0"), refuse, unix.EACCES, ruleFamilies},
		"local path":         {local, to(localPath, ""), byPath, 0, ""},
		"local name":         {local, to(localName, ""), inPlace, 0, ""},
		"local name, passed": {onHost(local), to(localName, ""), refuse, unix.EACCES, ruleFamilies},
		"no name, local":     {onHost(local), destination{errno: unix.EINVAL}, inPlace, 0, ""},
		"nothing is known":   {socketKind{}, destination{}, refuse, unix.EACCES, ruleFamilies},
	} {
		d := r.send(test.kind, test.to)
		rule := ""
		if d.judged {
			rule = d.network.Rule
		}
		if d.act != test.act || d.errno != test.errno || rule != test.rule {
			t.Errorf("%s: act %d errno %v rule %q, want %d %v %q", name, d.act, d.errno, rule, test.act, test.errno, test.rule)
		}
	}
}

// TestHostSocketsNeverGoUnjudged holds for any address: on a host socket a
// connect in place has an allowing decision.
func TestHostSocketsNeverGoUnjudged(t *testing.T) {
	r := newRules(Config{Errno: unix.EACCES})
	for _, raw := range addressSeeds() {
		for _, kind := range []socketKind{onHost(guestTCP), onHost(guestTCP6), onHost(guestUDP)} {
			if d := r.connect(kind, readAddress(kind.domain, raw)); d.act == inPlace || d.act == handOff {
				t.Errorf("%x on %+v: act %d without a rule", raw, kind, d.act)
			}
		}
	}
}

func TestZeroValuesDeny(t *testing.T) {
	if response := (reply{}).response(7); response.Perform || response.Continue || response.ID != 7 {
		t.Errorf("the zero reply gives %+v", response)
	}
	if response := (recheckedReply{}).response(7); response.Perform || response.Continue {
		t.Errorf("the zero rechecked reply gives %+v", response)
	}
	if d := (decision{}); d.act != refuse {
		t.Errorf("the zero decision is %+v", d)
	}
	if response := performed(5, 0).response(7); !response.Perform || response.Value != 5 {
		t.Errorf("performed gives %+v", response)
	}
	if response := continueUnder(mountsAndLandlock).response(7); !response.Continue || response.Perform {
		t.Errorf("continue gives %+v", response)
	}
}
