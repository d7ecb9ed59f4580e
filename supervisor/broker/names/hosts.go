package names

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"strings"
)

// lookupHosts reads a hosts file (hosts(5)). known is true if the name stands
// there with any address, so that a server is not asked for the other family.
func lookupHosts(path, name string, family int) (addrs []netip.Addr, known bool, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read the host's names: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line, _, _ := strings.Cut(lines.Text(), "#")
		fields := strings.Fields(line)
		if len(fields) < 2 || !hasName(fields[1:], name) {
			continue
		}
		addr, err := netip.ParseAddr(fields[0])
		if err != nil {
			continue
		}
		known = true
		if addr.Unmap().Is4() == (family == 4) {
			addrs = append(addrs, addr.Unmap())
		}
	}
	return addrs, known, lines.Err()
}

func hasName(fields []string, name string) bool {
	for _, field := range fields {
		if strings.EqualFold(strings.TrimSuffix(field, "."), name) {
			return true
		}
	}
	return false
}
