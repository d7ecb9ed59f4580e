package broker

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

func inet4(family uint16, host string, port uint16) []byte {
	raw := make([]byte, unix.SizeofSockaddrInet4)
	binary.NativeEndian.PutUint16(raw, family)
	binary.BigEndian.PutUint16(raw[2:], port)
	addr := netip.MustParseAddr(host).As4()
	copy(raw[4:], addr[:])
	return raw
}

func inet6(host string, port uint16, scope uint32) []byte {
	raw := make([]byte, unix.SizeofSockaddrInet6)
	binary.NativeEndian.PutUint16(raw, unix.AF_INET6)
	binary.BigEndian.PutUint16(raw[2:], port)
	addr := netip.MustParseAddr(host).As16()
	copy(raw[8:], addr[:])
	binary.NativeEndian.PutUint32(raw[24:], scope)
	return raw
}

func localRaw(name string) []byte {
	return append(binary.NativeEndian.AppendUint16(nil, unix.AF_UNIX), name...)
}

func addressSeeds() [][]byte {
	return [][]byte{
		nil,
		{1},
		{0, 0},
		inet4(unix.AF_INET, "203.0.113.9", 80), inet4(unix.AF_INET, "0.0.0.0", 0),
		inet4(unix.AF_UNSPEC, "203.0.113.9", 80), inet4(unix.AF_INET, "127.255.255.254", 1),
		inet6("2001:db8::9", 443, 0), inet6("::ffff:127.0.0.1", 80, 0), inet6("fe80::1", 80, 2),
		inet6("::", 80, 0), inet6("::1", 80, 0)[:24], localRaw("/run/x\x00"), localRaw("\x00name"), localRaw(""),
	}
}

func TestReadAddress(t *testing.T) {
	for name, test := range map[string]struct {
		domain int
		raw    []byte
		class  addressClass
		errno  unix.Errno
		what   string // address or path
	}{
		"nothing":                  {unix.AF_INET, nil, malformed, unix.EINVAL, ""},
		"half a family":            {unix.AF_INET, []byte{2}, malformed, unix.EINVAL, ""},
		"outside":                  {unix.AF_INET, inet4(unix.AF_INET, "203.0.113.9", 80), outside, 0, "203.0.113.9:80"},
		"short":                    {unix.AF_INET, inet4(unix.AF_INET, "203.0.113.9", 80)[:15], malformed, unix.EINVAL, ""},
		"long":                     {unix.AF_INET, make([]byte, 128), unspecified, 0, ""},
		"other family":             {unix.AF_INET, inet6("::1", 80, 0), malformed, unix.EAFNOSUPPORT, ""},
		"IPv4 on IPv6":             {unix.AF_INET6, append(inet4(unix.AF_INET, "127.0.0.1", 80), make([]byte, 12)...), malformed, unix.EAFNOSUPPORT, ""},
		"all of 127/8":             {unix.AF_INET, inet4(unix.AF_INET, "127.255.255.254", 1), loopback, 0, "127.255.255.254:1"},
		"this host":                {unix.AF_INET, inet4(unix.AF_INET, "0.0.0.0", 1), loopback, 0, "0.0.0.0:1"},
		"not this network":         {unix.AF_INET, inet4(unix.AF_INET, "0.0.0.1", 1), outside, 0, "0.0.0.1:1"},
		"IPv6":                     {unix.AF_INET6, inet6("2001:db8::9", 443, 0), outside, 0, "[2001:db8::9]:443"},
		"IPv6 without scope field": {unix.AF_INET6, inet6("2001:db8::9", 443, 9)[:24], outside, 0, "[2001:db8::9]:443"},
		"IPv6 too short":           {unix.AF_INET6, inet6("2001:db8::9", 443, 0)[:23], malformed, unix.EINVAL, ""},
		"scope":                    {unix.AF_INET6, inet6("fe80::1", 80, 2), outside, 0, "[fe80::1%2]:80"},
		"IPv6 loopback":            {unix.AF_INET6, inet6("::1", 80, 0), loopback, 0, "[::1]:80"},
		"IPv6 this host":           {unix.AF_INET6, inet6("::", 80, 7), loopback, 0, "[::%7]:80"},
		"mapped":                   {unix.AF_INET6, inet6("::ffff:203.0.113.9", 80, 0), outside, 0, "[::ffff:203.0.113.9]:80"},
		"mapped loopback":          {unix.AF_INET6, inet6("::ffff:127.0.0.1", 80, 0), loopback, 0, "[::ffff:127.0.0.1]:80"},
		"mapped this host":         {unix.AF_INET6, inet6("::ffff:0.0.0.0", 80, 0), loopback, 0, "[::ffff:0.0.0.0]:80"},
		"NAT64 of loopback":        {unix.AF_INET6, inet6("64:ff9b::7f00:1", 80, 0), outside, 0, "[64:ff9b::7f00:1]:80"},
		"dissolve":                 {unix.AF_INET6, []byte{0, 0}, unspecified, 0, ""},
		"path":                     {unix.AF_UNIX, localRaw("/run/x\x00rest"), localPath, 0, "/run/x"},
		"path without end":         {unix.AF_UNIX, localRaw("/run/x"), localPath, 0, "/run/x"},
		"abstract":                 {unix.AF_UNIX, localRaw("\x00a\x00b"), localName, 0, "a\x00b"},
		"no name":                  {unix.AF_UNIX, localRaw(""), malformed, unix.EINVAL, ""},
		"path too long":            {unix.AF_UNIX, append(localRaw("/"), make([]byte, 108)...), malformed, unix.EINVAL, ""},
		"local, dissolve":          {unix.AF_UNIX, []byte{0, 0}, unspecified, 0, ""},
		"local, other family":      {unix.AF_UNIX, inet4(unix.AF_INET, "127.0.0.1", 80), malformed, unix.EINVAL, ""},
		"unknown socket":           {unix.AF_NETLINK, inet4(unix.AF_NETLINK, "0.0.0.0", 0), malformed, unix.EAFNOSUPPORT, ""},
	} {
		d := readAddress(test.domain, test.raw)
		what := d.path
		if d.addr.IsValid() {
			what = d.addr.String()
		}
		if d.class != test.class || d.errno != test.errno || what != test.what {
			t.Errorf("%s: class %d errno %v %q, want %d %v %q", name, d.class, d.errno, what, test.class, test.errno, test.what)
		}
	}
}

// FuzzReadAddress looks for an address that is read in two ways at once.
func FuzzReadAddress(f *testing.F) {
	for _, raw := range addressSeeds() {
		for _, domain := range []int{unix.AF_INET, unix.AF_INET6, unix.AF_UNIX} {
			f.Add(domain, raw)
		}
	}
	f.Fuzz(func(t *testing.T, domain int, raw []byte) {
		if len(raw) > maxAddress {
			return
		}
		d := readAddress(domain, raw)
		if (d.class == malformed) != (d.errno != 0) {
			t.Errorf("class %d with errno %v", d.class, d.errno)
		}
		if (d.class == loopback || d.class == outside) != d.addr.IsValid() {
			t.Errorf("class %d with address %v", d.class, d.addr)
		}
		if d.class == outside && (d.addr.Addr().Unmap().IsLoopback() || d.addr.Addr().WithZone("").IsUnspecified()) {
			t.Errorf("%v counts as outside", d.addr)
		}
	})
}
