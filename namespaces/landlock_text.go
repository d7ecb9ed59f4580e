package namespaces

import "strings"

// String lists the rights by their names in linux/landlock.h, in lower case.
func (r LandlockRights) String() string {
	return bitNames(uint64(r), []string{
		"execute", "write_file", "read_file", "read_dir", "remove_dir", "remove_file",
		"make_char", "make_dir", "make_reg", "make_sock", "make_fifo", "make_block",
		"make_sym", "refer", "truncate", "ioctl_dev",
	})
}

// String lists the network rights by name.
func (n LandlockNet) String() string {
	return bitNames(uint64(n), []string{"bind_tcp", "connect_tcp"})
}

// String lists the scopes by name.
func (s LandlockScopes) String() string {
	return bitNames(uint64(s), []string{"abstract_unix_socket", "signal"})
}

// String lists all that is governed.
func (h LandlockHandled) String() string {
	return "files=" + h.Files.String() + " net=" + h.Net.String() + " scopes=" + h.Scopes.String()
}

// bitNames joins the names of the set bits; a bit without a name is "unknown".
func bitNames(set uint64, names []string) string {
	var out []string
	for i := range 64 {
		switch {
		case set&(1<<i) == 0:
		case i < len(names):
			out = append(out, names[i])
		default:
			out = append(out, "unknown")
		}
	}
	if out == nil {
		return "none"
	}
	return strings.Join(out, ",")
}
