package names

import (
	"bufio"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// upstream is what resolv.conf(5) says of the host's servers.
type upstream struct {
	servers  []netip.AddrPort
	attempts int
}

// dnsPort is where resolv.conf(5) places every server.
const dnsPort = 53

// readUpstream reads the name servers and the number of attempts; the glibc
// defaults hold for what is not said. Search lists are left out on purpose.
func readUpstream(path string) (upstream, error) {
	u := upstream{attempts: 2}
	f, err := os.Open(path)
	if err != nil {
		return u, fmt.Errorf("read the host's resolver configuration: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		switch {
		case len(fields) < 2:
		case fields[0] == "nameserver":
			if addr, err := netip.ParseAddr(fields[1]); err == nil {
				u.servers = append(u.servers, netip.AddrPortFrom(addr, dnsPort))
			}
		case fields[0] == "options":
			u.readOptions(fields[1:])
		}
	}
	if len(u.servers) == 0 { // resolv.conf(5): the local machine then
		u.servers = []netip.AddrPort{netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), dnsPort)}
	}
	return u, lines.Err()
}

func (u *upstream) readOptions(options []string) {
	const most = 5 // RES_MAXRETRY
	for _, option := range options {
		text, ok := strings.CutPrefix(option, "attempts:")
		if n, err := strconv.Atoi(text); ok && err == nil && n > 0 {
			u.attempts = min(n, most)
		}
	}
}
