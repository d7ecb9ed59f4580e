package supervisor

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// posture is what the kernel says of the program's process just before its
// execve. It is read, never assumed.
type posture struct {
	status     map[string]string // /proc/<pid>/status (proc_pid_status(5))
	namespaces map[string]bool   // kinds in which it differs from the supervisor
	fds        []int
}

// namespaceKinds are the links of /proc/<pid>/ns that a full sandbox has for
// itself (namespaces(7)).
func namespaceKinds() []string {
	return []string{"user", "mnt", "pid", "net", "ipc", "uts", "cgroup"}
}

// readPosture reads the posture of a process; ours are the supervisor's own
// namespaces. It stands between the program and its first instruction, so it
// reads by few and plain calls.
func readPosture(pid int, ours map[string]string) (*posture, error) {
	p := &posture{namespaces: map[string]bool{}}
	dir, err := openProc(strconv.Itoa(pid))
	if err != nil {
		return nil, fmt.Errorf("read the posture of the sandbox: %w", err)
	}
	defer unix.Close(dir)
	if p.status, err = readStatus(dir); err != nil {
		return nil, fmt.Errorf("read the posture of the sandbox: %w", err)
	}
	inside, err := readNamespaces(dir)
	if err != nil {
		return nil, err
	}
	for kind, name := range inside {
		p.namespaces[kind] = name != ours[kind]
	}
	if p.fds, err = readFDs(dir); err != nil {
		return nil, fmt.Errorf("list the descriptors of the sandbox: %w", err)
	}
	return p, nil
}

// openProc opens /proc/<name>, where name is a pid or "self".
func openProc(name string) (int, error) {
	return unix.Open("/proc/"+name, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
}

// readNamespaces returns the names of a process's namespaces by kind.
func readNamespaces(dir int) (map[string]string, error) {
	names := make(map[string]string, len(namespaceKinds()))
	var buf [64]byte
	for _, kind := range namespaceKinds() {
		n, err := unix.Readlinkat(dir, "ns/"+kind, buf[:])
		if err != nil {
			return nil, fmt.Errorf("read the %s namespace of a process: %w", kind, err)
		}
		names[kind] = string(buf[:n])
	}
	return names, nil
}

// ownNamespaces returns the names of the supervisor's namespaces.
func ownNamespaces() (map[string]string, error) {
	dir, err := openProc("self")
	if err != nil {
		return nil, fmt.Errorf("read the supervisor's namespaces: %w", err)
	}
	defer unix.Close(dir)
	return readNamespaces(dir)
}

func readStatus(dir int) (map[string]string, error) {
	fd, err := unix.Openat(dir, "status", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var buf [8192]byte // the file has some 1.5 KiB and comes in one read
	n, err := unix.Read(fd, buf[:])
	if err != nil {
		return nil, err
	}
	return parseStatus(buf[:n]), nil
}

func parseStatus(text []byte) map[string]string {
	fields := map[string]string{}
	for line := range bytes.Lines(text) {
		key, value, ok := bytes.Cut(line, []byte{':'})
		if ok {
			fields[string(key)] = string(bytes.TrimSpace(value))
		}
	}
	return fields
}

func readFDs(dir int) ([]int, error) {
	fd, err := unix.Openat(dir, "fd", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var fds []int
	buf := make([]byte, 4096)
	for {
		n, err := unix.Getdents(fd, buf)
		if err != nil || n <= 0 {
			slices.Sort(fds)
			return fds, err
		}
		_, _, names := unix.ParseDirent(buf[:n], -1, nil)
		for _, name := range names {
			number, err := strconv.Atoi(name)
			if err != nil {
				return nil, err
			}
			fds = append(fds, number)
		}
	}
}

// check refuses a posture that lacks anything the tier promises. passed counts
// the descriptors from 3 upward that the program was given; after them come the
// control socket, which closes at execve, and the listener.
func (p *posture) check(c *child, passed int) error {
	ids := fmt.Sprintf("%d\t%d\t%d\t%d", c.uid, c.uid, c.uid, c.uid)
	want := []struct{ field, value string }{
		{"Uid", ids},
		{"Gid", fmt.Sprintf("%d\t%d\t%d\t%d", c.gid, c.gid, c.gid, c.gid)},
		{"NoNewPrivs", "1"},
		{"Seccomp", "2"},
		{"CapInh", noCaps},
		{"CapPrm", noCaps},
		{"CapEff", noCaps},
		{"CapBnd", noCaps},
		{"CapAmb", noCaps},
	}
	if c.lease != nil {
		want = append(want, struct{ field, value string }{"Groups", ""})
	}
	for _, w := range want {
		if got := p.status[w.field]; got != w.value {
			return fmt.Errorf("posture of the sandbox: %s is %q, want %q", w.field, got, w.value)
		}
	}
	for _, kind := range namespaceKinds() {
		if !p.namespaces[kind] {
			return fmt.Errorf("posture of the sandbox: it shares our %s namespace", kind)
		}
	}
	for i, fd := range p.fds {
		if i != fd || fd >= 3+passed+2 {
			return fmt.Errorf("posture of the sandbox: unexpected descriptor %d among %v", fd, p.fds)
		}
	}
	return nil
}

// noCaps is an empty capability set as /proc/<pid>/status prints it.
const noCaps = "0000000000000000"
