package relay

import (
	"encoding/binary"
	"net"
	"net/netip"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// Unreachable returns a function that tells the guest's kernel that nothing
// listens at an address it sent to: a connected socket then gets ECONNREFUSED
// (udp(7)). The sockets are raw ICMP and ICMPv6 sockets of the sandbox's
// network namespace; either may be nil.
func Unreachable(icmp4, icmp6 net.PacketConn) func(from, to netip.AddrPort) {
	return func(from, to netip.AddrPort) {
		message, conn := unreachable4(from, to), icmp4
		if to.Addr().Is6() {
			message, conn = unreachable6(from, to), icmp6
		}
		packet, err := message.Marshal(nil)
		if err != nil || conn == nil {
			return
		}
		_, _ = conn.WriteTo(packet, &net.IPAddr{IP: from.Addr().AsSlice()})
	}
}

const (
	protocolUDP     = 17 // IANA protocol numbers
	portUnreachable = 3  // RFC 792, type 3
	noPort          = 4  // RFC 4443, type 1
)

// unreachable4 quotes the head of the datagram, by which the kernel finds the
// socket (RFC 792: the internet header and 64 bits).
func unreachable4(from, to netip.AddrPort) *icmp.Message {
	head := ipv4.Header{
		Version: ipv4.Version, Len: ipv4.HeaderLen, TotalLen: ipv4.HeaderLen + 8, TTL: 64,
		Protocol: protocolUDP, Src: from.Addr().AsSlice(), Dst: to.Addr().AsSlice(),
	}
	quoted, err := head.Marshal()
	if err != nil {
		quoted = nil
	}
	return &icmp.Message{
		Type: ipv4.ICMPTypeDestinationUnreachable, Code: portUnreachable,
		Body: &icmp.DstUnreach{Data: append(quoted, udpHead(from, to)...)},
	}
}

func unreachable6(from, to netip.AddrPort) *icmp.Message {
	head := make([]byte, 40) // RFC 8200, section 3
	head[0] = 6 << 4
	binary.BigEndian.PutUint16(head[4:], 8)
	head[6], head[7] = protocolUDP, 64
	source, target := from.Addr().As16(), to.Addr().As16()
	copy(head[8:], source[:])
	copy(head[24:], target[:])
	return &icmp.Message{
		Type: ipv6.ICMPTypeDestinationUnreachable, Code: noPort,
		Body: &icmp.DstUnreach{Data: append(head, udpHead(from, to)...)},
	}
}

func udpHead(from, to netip.AddrPort) []byte {
	head := make([]byte, 8)
	binary.BigEndian.PutUint16(head, from.Port())
	binary.BigEndian.PutUint16(head[2:], to.Port())
	binary.BigEndian.PutUint16(head[4:], 8)
	return head
}
