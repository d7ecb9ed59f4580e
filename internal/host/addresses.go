package host

import (
	"fmt"
	"net/netip"
	"syscall"
)

// Addresses lists the addresses of this host's interfaces, loopback included
// (rtnetlink(7), RTM_GETADDR).
func Addresses() ([]netip.Addr, error) {
	answer, err := syscall.NetlinkRIB(syscall.RTM_GETADDR, syscall.AF_UNSPEC)
	if err != nil {
		return nil, fmt.Errorf("ask for the host's addresses: %w", err)
	}
	messages, err := syscall.ParseNetlinkMessage(answer)
	if err != nil {
		return nil, fmt.Errorf("read the host's addresses: %w", err)
	}
	var addresses []netip.Addr
	for i := range messages {
		if messages[i].Header.Type != syscall.RTM_NEWADDR {
			continue
		}
		attributes, err := syscall.ParseNetlinkRouteAttr(&messages[i])
		if err != nil {
			return nil, fmt.Errorf("read the host's addresses: %w", err)
		}
		if address, ok := interfaceAddress(attributes); ok {
			addresses = append(addresses, address)
		}
	}
	return addresses, nil
}

// interfaceAddress returns IFA_LOCAL, the host's own end of a point-to-point
// link, or else IFA_ADDRESS.
func interfaceAddress(attributes []syscall.NetlinkRouteAttr) (netip.Addr, bool) {
	var address netip.Addr
	for _, attribute := range attributes {
		value, ok := netip.AddrFromSlice(attribute.Value)
		if !ok {
			continue
		}
		switch attribute.Attr.Type {
		case syscall.IFA_LOCAL:
			return value, true
		case syscall.IFA_ADDRESS:
			address = value
		}
	}
	return address, address.IsValid()
}
