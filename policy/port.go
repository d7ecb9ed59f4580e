package policy

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/pysandbox/pysandbox/internal/netrule"
)

// parsePort reads "tcp:6379", "udp:53", or "6379" for TCP.
func parsePort(text string) (Port, error) {
	want := expected(`one port from 1 to 65535, such as 6379 or "udp:5353"`)
	scheme, number, hasScheme := strings.Cut(text, ":")
	if !hasScheme {
		scheme, number = "tcp", text
	}
	port := Port{}
	switch scheme {
	case "tcp":
		port.Protocol = netrule.TCP
	case "udp":
		port.Protocol = netrule.UDP
	default:
		return Port{}, want
	}
	var err error
	if port.Number, err = portNumber(number); err != nil {
		return Port{}, want
	}
	return port, nil
}

// String writes the port as parsePort reads it.
func (p Port) String() string {
	return p.Protocol.String() + ":" + strconv.Itoa(int(p.Number))
}

// parseListen reads "[tcp:][ADDR:]HOST[:GUEST]". An IPv6 address stands in
// brackets; without an address the port is published on 127.0.0.1, and without
// a guest port it is the same inside.
func parseListen(text string) (Listen, error) {
	want := expected(`"tcp:[ADDRESS:]HOSTPORT[:GUESTPORT]", such as "tcp:127.0.0.1:8000"`)
	rest, isTCP := strings.CutPrefix(text, "tcp:")
	if !isTCP && (rest == "" || !strings.ContainsRune("0123456789[", rune(rest[0]))) {
		return Listen{}, want
	}
	listen := Listen{Text: "tcp:" + rest, Address: "127.0.0.1"}
	ports := rest
	if address, after, found := cutAddress(rest); found {
		addr, err := netip.ParseAddr(address)
		if err != nil || addr.Zone() != "" {
			return Listen{}, want
		}
		listen.Address, ports = addr.Unmap().String(), after
	}
	host, guest, both := strings.Cut(ports, ":")
	if !both {
		guest = host
	}
	var hostErr, guestErr error
	listen.Host, hostErr = portNumber(host)
	listen.Guest, guestErr = portNumber(guest)
	if hostErr != nil || guestErr != nil {
		return Listen{}, want
	}
	return listen, nil
}

// cutAddress splits an address off the ports that follow it.
func cutAddress(text string) (address, ports string, found bool) {
	if inner, isBracketed := strings.CutPrefix(text, "["); isBracketed {
		return strings.Cut(inner, "]:")
	}
	if address, ports, found = strings.Cut(text, ":"); found && strings.Contains(address, ".") {
		return address, ports, true
	}
	return "", text, false
}

func portNumber(text string) (uint16, error) {
	number, err := strconv.ParseUint(text, 10, 16)
	if err != nil || number == 0 || text[0] == '0' || text[0] == '+' {
		return 0, expected("a port from 1 to 65535")
	}
	return uint16(number), nil
}
