package broker

import (
	"bytes"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// Files of /proc that every connect reads are kept open: opening one costs some
// five times as much as reading it. Each belongs to one thread for good. Once that
// has ended it gives an error, and never the state of another with the same id.

// openCount is the number of open descriptors of the caller's process, or 0 where
// the kernel does not tell (proc_pid_fd(5), size of the directory, Linux 6.2).
func (b *Broker) openCount(req *request) int {
	if th := req.thread; th != nil && !req.pooled {
		if th.table < 0 {
			th.table, _ = openPath(procPath(th.tid, "/fd"), unix.O_PATH|unix.O_DIRECTORY)
		}
		if size, errno := sizeOfFD(th.table); errno == 0 {
			return size
		}
	}
	size, errno := sizeOf(procPath(int(req.PID), "/fd"))
	if errno != 0 {
		return 0
	}
	return size
}

// closesOnExec reads the close-on-exec flag of a descriptor of the caller.
func (b *Broker) closesOnExec(req *request, number int) (bool, syscall.Errno) {
	if th := req.thread; th != nil && !req.pooled {
		if closes, errno := b.flags.read(th, number); errno == 0 {
			return closes, 0
		}
	}
	fd, errno := openPath(flagsPath(int(req.PID), number), 0)
	switch errno {
	case 0:
	case unix.ENOENT:
		return false, unix.EBADF
	default: // ours, such as EMFILE
		return false, errno
	}
	defer closeFD(fd)
	return readFlags(fd)
}

// keptFlags is how many descriptors' flags can be read without opening a file.
// Programs use few numbers, again and again.
const keptFlags = 16

// flagFiles are open files /proc/<tid>/fdinfo/<number>. Only the serve thread uses
// them. The zero value has none.
type flagFiles struct {
	files [keptFlags]flagFile
	next  int
}

type flagFile struct {
	of     *thread
	number int
	fd     int
}

// read reads the flags of a number of a thread. Any error means that they must be
// read in another way.
func (f *flagFiles) read(th *thread, number int) (bool, syscall.Errno) {
	for _, file := range f.files {
		if file.of == th && file.number == number {
			return readFlags(file.fd)
		}
	}
	fd, errno := openPath(flagsPath(th.tid, number), 0)
	if errno != 0 {
		return false, errno
	}
	if old := f.files[f.next]; old.of != nil {
		closeFD(old.fd)
	}
	f.files[f.next] = flagFile{of: th, number: number, fd: fd}
	f.next = (f.next + 1) % keptFlags
	return readFlags(fd)
}

func (f *flagFiles) close() {
	for _, file := range f.files {
		if file.of != nil {
			closeFD(file.fd)
		}
	}
	*f = flagFiles{}
}

// readFlags finds the close-on-exec flag in an fdinfo file (proc_pid_fdinfo(5):
// flags, octal).
func readFlags(fd int) (bool, syscall.Errno) {
	var buf [128]byte
	n, errno := readStart(fd, buf[:])
	if errno != 0 {
		return false, errno
	}
	_, after, found := bytes.Cut(buf[:n], []byte("flags:"))
	line, _, ended := bytes.Cut(after, []byte("\n"))
	flags, err := strconv.ParseUint(string(bytes.TrimSpace(line)), 8, 64)
	if !found || !ended || err != nil {
		return false, unix.EIO
	}
	return flags&unix.O_CLOEXEC != 0, 0
}

// procPath is the path of a file of a thread, with a NUL.
func procPath(tid int, name string) []byte {
	path := append(make([]byte, 0, 64), "/proc/"...)
	path = strconv.AppendInt(path, int64(tid), 10)
	path = append(path, name...)
	return append(path, 0)
}

func flagsPath(tid, number int) []byte {
	return procPath(tid, "/fdinfo/"+strconv.Itoa(number))
}
