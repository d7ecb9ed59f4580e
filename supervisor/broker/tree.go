package broker

import (
	"bufio"
	"os"
	"path"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/errnos"
)

// tree resolves paths as the sandbox sees them, and knows which file systems are
// the sandbox's own.
type tree struct {
	sockets []string // host sockets that may be reached, Config.UnixSockets

	mu      sync.Mutex
	private map[uint64]bool // device numbers of the sandbox's own tmpfs mounts; nil: not read yet
}

// resolve opens (O_PATH) what a path means to a thread. Everything stays below
// the thread's root, whatever links say (openat2(2), RESOLVE_IN_ROOT), and what
// was opened can no longer be exchanged. base is "cwd" or "fd/N".
func (t *tree) resolve(tid int, base, name string) (int, syscall.Errno) {
	dir := "/proc/" + strconv.Itoa(tid)
	root, err := unix.Open(dir+"/root", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, errnos.Of(err)
	}
	defer unix.Close(root)
	if !path.IsAbs(name) {
		from, err := os.Readlink(dir + "/" + base)
		if err != nil {
			return -1, errnos.Of(err)
		}
		name = from + "/" + name
	}
	fd, err := unix.Openat2(root, name, &unix.OpenHow{
		Flags:   unix.O_PATH | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	})
	if err != nil {
		return -1, errnos.Of(err)
	}
	return fd, 0
}

// isPrivate reports whether a device is a tmpfs of the sandbox's own: one that
// the sandbox has mounted and the supervisor has not. The sandbox cannot mount,
// so one look is enough, if it was at a thread of the sandbox: settled gives an
// error where the thread may have ended and its id may be another's.
func (t *tree) isPrivate(tid int, device uint64, settled func() syscall.Errno) (bool, syscall.Errno) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.private == nil {
		found, err := ownTmpfs(tid)
		if errno := firstErrno(errnos.Of(err), settled()); errno != 0 {
			return false, errno
		}
		t.private = found
	}
	return t.private[device], 0
}

// ownTmpfs reads which tmpfs mounts a thread has and we have not.
func ownTmpfs(tid int) (map[uint64]bool, error) {
	inside, err := tmpfsDevices("/proc/" + strconv.Itoa(tid) + "/mountinfo")
	if err != nil {
		return nil, err
	}
	ours, err := tmpfsDevices("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	for shared := range ours {
		delete(inside, shared)
	}
	return inside, nil
}

// tmpfsDevices reads the device numbers of the tmpfs mounts of a mount table
// (proc_pid_mountinfo(5)).
func tmpfsDevices(table string) (map[uint64]bool, error) {
	f, err := os.Open(table)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	devices := make(map[uint64]bool)
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		before, after, _ := strings.Cut(lines.Text(), " - ")
		fields := strings.Fields(before)
		if len(fields) < 3 || !strings.HasPrefix(after, "tmpfs ") {
			continue
		}
		major, minor, _ := strings.Cut(fields[2], ":")
		high, err1 := strconv.ParseUint(major, 10, 32)
		low, err2 := strconv.ParseUint(minor, 10, 32)
		if err1 == nil && err2 == nil {
			devices[unix.Mkdev(uint32(high), uint32(low))] = true
		}
	}
	return devices, lines.Err()
}

// procFD is a path to what one of our own descriptors refers to.
func procFD(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }
