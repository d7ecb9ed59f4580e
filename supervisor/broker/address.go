package broker

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// maxAddress is sizeof(struct sockaddr_storage), the longest address the kernel
// reads.
const maxAddress = 128

// address is the supervisor's own copy of a socket address.
type address struct {
	data [maxAddress]byte
	size int
}

func (a *address) bytes() []byte { return a.data[:a.size] }

// copyAddress copies the address in arguments at and at+1, as copyUnsettled does.
// Errors are those of move_addr_to_kernel in net/socket.c.
func copyAddress(req *request, at int, a *address) syscall.Errno {
	size := int32(req.Args[at+1])
	if size < 0 || size > maxAddress {
		return unix.EINVAL
	}
	a.size = int(size)
	return copyUnsettled(req, req.Args[at], a.bytes())
}

// addressClass says where an address leads. The zero class is nowhere.
type addressClass uint8

const (
	malformed   addressClass = iota // the kernel refuses it for this socket
	unspecified                     // AF_UNSPEC: dissolve the association
	loopback                        // inside, wherever the socket is
	outside                         // anywhere else on an IP network
	localName                       // AF_UNIX, abstract or none: a name of the network namespace
	localPath                       // AF_UNIX, in the file system
)

// destination is an address as the kernel would read it for a socket.
type destination struct {
	class addressClass
	errno syscall.Errno  // of a malformed address
	addr  netip.AddrPort // of loopback and outside
	path  string         // of localPath, or of localName without its NUL
}

// readAddress reads the address as the connect of the socket's family does.
func readAddress(domain int, raw []byte) destination {
	if len(raw) < 2 {
		return destination{errno: unix.EINVAL}
	}
	family := int(binary.NativeEndian.Uint16(raw))
	switch {
	case domain == unix.AF_UNIX:
		return readLocal(family, raw)
	case family == unix.AF_UNSPEC:
		return destination{class: unspecified}
	case domain == unix.AF_INET:
		return readInet4(family, raw)
	case domain == unix.AF_INET6:
		return readInet6(family, raw)
	}
	return destination{errno: unix.EAFNOSUPPORT}
}

// readLocal follows unix_validate_addr and unix_mkname_bsd of net/unix.
func readLocal(family int, raw []byte) destination {
	switch {
	case family == unix.AF_UNSPEC:
		return destination{class: unspecified}
	case family != unix.AF_UNIX, len(raw) <= 2, len(raw) > unix.SizeofSockaddrUnix:
		return destination{errno: unix.EINVAL}
	case raw[2] == 0:
		return destination{class: localName, path: string(raw[3:])}
	}
	path := raw[2:]
	for i, c := range path {
		if c == 0 {
			path = path[:i]
			break
		}
	}
	return destination{class: localPath, path: string(path)}
}

func readInet4(family int, raw []byte) destination {
	switch {
	case len(raw) < unix.SizeofSockaddrInet4:
		return destination{errno: unix.EINVAL}
	case family != unix.AF_INET:
		return destination{errno: unix.EAFNOSUPPORT}
	}
	return internet(netip.AddrFrom4([4]byte(raw[4:8])), raw)
}

// inet6Short is SIN6_LEN_RFC2133, an address without scope.
const inet6Short = 24

func readInet6(family int, raw []byte) destination {
	switch {
	case len(raw) < inet6Short:
		return destination{errno: unix.EINVAL}
	case family != unix.AF_INET6:
		return destination{errno: unix.EAFNOSUPPORT}
	}
	addr := netip.AddrFrom16([16]byte(raw[8:24]))
	if len(raw) >= unix.SizeofSockaddrInet6 {
		if scope := binary.NativeEndian.Uint32(raw[24:28]); scope != 0 {
			addr = addr.WithZone(strconv.FormatUint(uint64(scope), 10))
		}
	}
	return internet(addr, raw)
}

// internet tells loopback from the rest. The unspecified address connects to
// loopback (ip(7), INADDR_ANY).
func internet(addr netip.Addr, raw []byte) destination {
	d := destination{class: outside, addr: netip.AddrPortFrom(addr, binary.BigEndian.Uint16(raw[2:4]))}
	if inner := addr.Unmap(); inner.IsLoopback() || inner.WithZone("").IsUnspecified() {
		d.class = loopback
	}
	return d
}

// target is how records name a destination.
func (d destination) target(k socketKind) string {
	switch d.class {
	case loopback, outside:
		scheme := "tcp://"
		if k.kind == unix.SOCK_DGRAM {
			scheme = "udp://"
		}
		return scheme + d.addr.String()
	case localPath:
		return "unix:" + d.path
	case localName:
		return "unix:@" + d.path
	case unspecified:
		return "unspecified"
	case malformed:
	}
	return ""
}
