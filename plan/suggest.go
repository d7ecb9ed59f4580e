package plan

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/pysandbox/pysandbox/internal/host"
	"github.com/pysandbox/pysandbox/internal/netrule"
)

// SuggestsWrite reports whether a hint may name directory, an absolute and clean path,
// for files.write. The program chose the name, so nothing of it is looked up on the
// host, where a look can mount or hang: whether the caller may write there, only the
// caller knows. What is refused whoever asks is no hint.
func (r *Resolved) SuggestsWrite(directory string) bool {
	if checkUserPath(directory) != nil || belowAny(directory, systemPlaces()) {
		return false
	}
	return !slices.ContainsFunc(r.Interpreter.Binds, func(b host.Bind) bool {
		return isSameOrBelow(b.Path, directory) || isSameOrBelow(directory, b.Path)
	})
}

// SuggestsNetwork reports whether a hint may name target, such as
// tcp://203.0.113.9:443, for network.allow: nothing that no rule reaches.
func (r *Resolved) SuggestsNetwork(target string) bool {
	protocol, address, _ := strings.Cut(target, "://")
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return true
	}
	e := netrule.Endpoint{Protocol: netrule.TCP, Addr: to}
	if protocol == netrule.UDP.String() {
		e.Protocol = netrule.UDP
	}
	return netrule.Suggests(e, r.HostFacts)
}

// systemPlaces are where only root writes, for whom they are refused as its own.
func systemPlaces() []string {
	return []string{
		"/bin", "/boot", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/root", "/sbin", "/sys", "/usr",
	}
}
