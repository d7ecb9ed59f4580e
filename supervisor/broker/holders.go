package broker

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// fewDescriptors is how many open descriptors are searched in the serve thread;
// one takes about a microsecond.
const fewDescriptors = 64

// holders finds the numbers at which the caller's process has s, the one in the
// call first; ok is false where the process has too many descriptors for a
// search in passing. Holders in other processes, or on their way through a
// socket, keep the sandbox's own socket, which leads nowhere.
func (b *Broker) holders(req *request, s *socket) (numbers []int, ok bool) {
	open := openCount(int(req.PID))
	if open == 0 || open > fewDescriptors {
		return nil, false
	}
	// Numbers are mostly dense, so trying them is quicker than a listing.
	numbers = append(make([]int, 0, 4), s.number)
	seen := 0
	for n := 0; n < 2*open && seen < open; n++ {
		same, errno := b.sameFile(s.fd, int(req.PID), n)
		if same && n != s.number {
			numbers = append(numbers, n)
		}
		if errno == 0 {
			seen++
		}
	}
	if seen < open {
		return b.allHolders(req, s), true
	}
	return numbers, true
}

// allHolders is holders for a process of any size.
func (b *Broker) allHolders(req *request, s *socket) []int {
	numbers := []int{s.number}
	dir, errno := openAt(atCWD, procPath(int(req.PID), "/fd"), unix.O_DIRECTORY)
	if errno != 0 {
		return numbers
	}
	defer closeFD(dir)
	var buf [4096]byte
	for {
		size, errno := readDir(dir, buf[:])
		if errno != 0 || size == 0 {
			return numbers
		}
		for _, n := range numbersIn(buf[:size]) {
			if same, _ := b.sameFile(s.fd, int(req.PID), n); same && n != s.number {
				numbers = append(numbers, n)
			}
		}
	}
}

// numbersIn reads the names of directory entries that are numbers (getdents(2),
// struct linux_dirent64).
func numbersIn(entries []byte) []int {
	const lengthAt, nameAt = 16, 19
	var numbers []int
	for len(entries) > nameAt {
		length := int(binary.NativeEndian.Uint16(entries[lengthAt:]))
		if length <= nameAt || length > len(entries) {
			break
		}
		name, _, _ := bytes.Cut(entries[nameAt:length], []byte{0})
		if n, err := strconv.Atoi(string(name)); err == nil {
			numbers = append(numbers, n)
		}
		entries = entries[length:]
	}
	return numbers
}

// openCount is the number of open descriptors of a process, or 0 where the
// kernel does not tell (proc_pid_fd(5), size of the directory, Linux 6.2).
func openCount(tid int) int {
	size, errno := sizeOf(procPath(tid, "/fd"))
	if errno != 0 {
		return 0
	}
	return size
}

// procPath is the path of a file of a thread, with a NUL.
func procPath(tid int, name string) []byte {
	path := append(make([]byte, 0, 64), "/proc/"...)
	path = strconv.AppendInt(path, int64(tid), 10)
	path = append(path, name...)
	return append(path, 0)
}

// closesOnExec reads the close-on-exec flag of a descriptor of the caller
// (proc_pid_fdinfo(5): flags, octal).
func closesOnExec(tid, number int) (bool, syscall.Errno) {
	fd, errno := openAt(atCWD, procPath(tid, "/fdinfo/"+strconv.Itoa(number)), 0)
	if errno != 0 {
		return false, unix.EBADF
	}
	defer closeFD(fd)
	var buf [128]byte
	n, errno := readFD(fd, buf[:])
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
