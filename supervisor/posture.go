package supervisor

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
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
// namespaces.
func readPosture(pid int, ours map[string]string) (*posture, error) {
	dir := "/proc/" + strconv.Itoa(pid)
	status, err := os.ReadFile(dir + "/status")
	if err != nil {
		return nil, fmt.Errorf("read the posture of the sandbox: %w", err)
	}
	p := &posture{status: parseStatus(status), namespaces: map[string]bool{}}
	inside, err := readNamespaces(dir)
	if err != nil {
		return nil, err
	}
	for kind, name := range inside {
		p.namespaces[kind] = name != ours[kind]
	}
	p.fds, err = readFDs(dir)
	return p, err
}

// readNamespaces returns the names of a process's namespaces by kind.
func readNamespaces(dir string) (map[string]string, error) {
	names := make(map[string]string, len(namespaceKinds()))
	for _, kind := range namespaceKinds() {
		name, err := os.Readlink(dir + "/ns/" + kind)
		if err != nil {
			return nil, fmt.Errorf("read the namespaces of a process: %w", err)
		}
		names[kind] = name
	}
	return names, nil
}

func parseStatus(text []byte) map[string]string {
	fields := map[string]string{}
	for line := range bytes.Lines(text) {
		key, value, ok := strings.Cut(string(line), ":")
		if ok {
			fields[key] = strings.TrimSpace(value)
		}
	}
	return fields
}

func readFDs(dir string) ([]int, error) {
	f, err := os.Open(dir + "/fd")
	if err != nil {
		return nil, fmt.Errorf("list the descriptors of the sandbox: %w", err)
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("list the descriptors of the sandbox: %w", err)
	}
	fds := make([]int, 0, len(names))
	for _, name := range names {
		fd, err := strconv.Atoi(name)
		if err != nil {
			return nil, fmt.Errorf("list the descriptors of the sandbox: %w", err)
		}
		fds = append(fds, fd)
	}
	slices.Sort(fds)
	return fds, nil
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
