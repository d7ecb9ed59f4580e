package plan

import (
	"errors"
	"maps"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/netrule"
	"github.com/pysandbox/pysandbox/namespaces"
	"github.com/pysandbox/pysandbox/policy"
)

// SocketUse is what the supervisor does with a socket of the sandbox's network
// namespace. The zero value is of no use.
type SocketUse uint8

// The uses.
const (
	SocketNamesUDP SocketUse = iota + 1 // the name broker on 127.0.0.1:53
	SocketNamesTCP
	SocketRelay // relays UDP for Port, outward or to the host's loopback
	SocketICMP4 // tells the guest of refused datagrams
	SocketICMP6
)

// Socket is one socket that the stage makes for the supervisor.
type Socket struct {
	Use  SocketUse
	Port uint16 // SocketRelay
}

// mostRelayPorts bounds the relay's sockets, one for each port.
const mostRelayPorts = 256

// tooManyPorts is about the rule with which the ports are too many.
func tooManyPorts(rule string) error {
	return wrong(rule, "udp:// rules in network.allow and udp: ports in network.host_loopback name more than %d ports; each needs a socket", mostRelayPorts)
}

// networkSockets are the sockets that the plan's rules need, in the order of
// their operations. Names are answered under every policy: where none may be
// looked up, the answer says so, and the report which one would have to be
// allowed.
func (p *Plan) networkSockets() ([]Socket, error) {
	sockets := []Socket{{Use: SocketNamesUDP}, {Use: SocketNamesTCP}}
	ports, err := p.relayPorts()
	if err != nil {
		return nil, err
	}
	if len(ports) == 0 {
		return sockets, nil
	}
	sockets = append(sockets, Socket{Use: SocketICMP4}, Socket{Use: SocketICMP6})
	for _, port := range ports {
		sockets = append(sockets, Socket{SocketRelay, port})
	}
	return sockets, nil
}

// LoopbackPorts are the ports of the host's loopback that network.host_loopback
// forwards for a protocol.
func (p *Plan) LoopbackPorts(protocol netrule.Protocol) []uint16 {
	var ports []uint16
	for _, port := range p.Network.HostLoopback {
		if port.Protocol == protocol {
			ports = append(ports, port.Number)
		}
	}
	return ports
}

// relayPorts lists the UDP ports of the host's loopback and those that an allow
// rule names, sorted.
func (p *Plan) relayPorts() ([]uint16, error) {
	named := map[uint16]bool{}
	for i, port := range p.Network.HostLoopback {
		if port.Protocol != netrule.UDP {
			continue
		}
		if named[port.Number] = true; len(named) > mostRelayPorts {
			return nil, tooManyPorts(policy.Item("network.host_loopback", i))
		}
	}
	for _, rule := range p.Network.Rules.Allow {
		if rule.Protocol != netrule.UDP {
			continue
		}
		for _, r := range rule.Ports {
			for port := int(r.First); port <= int(r.Last); port++ {
				if named[uint16(port)] = true; len(named) > mostRelayPorts {
					return nil, tooManyPorts(rule.ID)
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(named)), nil
}

// socketOperations makes the sockets and the routes by which every address is
// local: relayed datagrams find them, and a published connection may come from
// its client's own address.
func (p *Plan) socketOperations(sockets []Socket) (namespaces.Program, error) {
	var ops namespaces.Program
	for _, s := range sockets {
		op := namespaces.Op{Code: namespaces.OpSocket, N1: unix.AF_INET, N2: unix.SOCK_DGRAM}
		switch s.Use {
		case SocketNamesUDP:
		case SocketNamesTCP:
			op.N2 = unix.SOCK_STREAM
		case SocketRelay:
			op.N1 = unix.AF_INET6
		case SocketICMP4:
			op.N2, op.N3 = unix.SOCK_RAW, unix.IPPROTO_ICMP
		case SocketICMP6:
			op.N1, op.N2, op.N3 = unix.AF_INET6, unix.SOCK_RAW, unix.IPPROTO_ICMPV6
		default:
			return nil, errors.New("a socket without a use")
		}
		ops = append(ops, op)
	}
	relays := slices.ContainsFunc(sockets, func(s Socket) bool { return s.Use == SocketRelay })
	if relays || len(p.Network.Listen) > 0 {
		ops = append(ops, namespaces.Op{Code: namespaces.OpLocalRoutes})
	}
	return ops, nil
}
