package broker

import (
	"bytes"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// quickNumbers is how many descriptor numbers are looked at in the serve thread;
// one takes about a microsecond.
const quickNumbers = 64

// holders finds the numbers at which the caller's process has s, the one in the
// call first. It is not complete where the process has more descriptors than a
// quick look covers. Holders in other processes, or on their way through a
// socket, keep the sandbox's own socket, which leads nowhere.
func (b *Broker) holders(req *request, s *socket) (numbers []int, complete bool) {
	open := openCount(int(req.PID))
	if open == 0 || open > quickNumbers {
		return nil, false
	}
	numbers = append(make([]int, 0, 4), s.number)
	seen := 0
	for n := 0; n < quickNumbers && seen < open; n++ {
		if n == s.number {
			seen++
			continue
		}
		same, errno := b.sameFile(s.fd, int(req.PID), n)
		if same {
			numbers = append(numbers, n)
		}
		if errno == 0 {
			seen++
		}
	}
	if s.number >= quickNumbers {
		seen++
	}
	return numbers, seen >= open
}

// openCount is the number of open descriptors of a process, or 0 where the
// kernel does not tell (proc_pid_fd(5), size of the directory, Linux 6.2).
func openCount(pid int) int {
	var stat unix.Stat_t
	if unix.Stat("/proc/"+strconv.Itoa(pid)+"/fd", &stat) != nil {
		return 0
	}
	return int(stat.Size)
}

// allHolders is holders for a process of any size. It is slow.
func (b *Broker) allHolders(req *request, s *socket) []int {
	numbers := []int{s.number}
	dir, err := os.Open("/proc/" + strconv.Itoa(int(req.PID)) + "/fd")
	if err != nil {
		return numbers
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return numbers
	}
	for _, name := range names {
		n, err := strconv.Atoi(name)
		if err != nil || n == s.number {
			continue
		}
		if same, _ := b.sameFile(s.fd, int(req.PID), n); same {
			numbers = append(numbers, n)
		}
	}
	return numbers
}

// closesOnExec reads the close-on-exec flag of a descriptor of the caller
// (proc_pid_fdinfo(5): flags, octal).
func closesOnExec(tid, number int) (bool, syscall.Errno) {
	fd, err := unix.Open("/proc/"+strconv.Itoa(tid)+"/fdinfo/"+strconv.Itoa(number), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false, unix.EBADF
	}
	defer unix.Close(fd)
	var buf [128]byte
	n, err := unix.Read(fd, buf[:])
	if err != nil {
		return false, errnoOf(err)
	}
	_, after, found := bytes.Cut(buf[:n], []byte("flags:"))
	line, _, ended := bytes.Cut(after, []byte("\n"))
	flags, err := strconv.ParseUint(string(bytes.TrimSpace(line)), 8, 64)
	if !found || !ended || err != nil {
		return false, unix.EIO
	}
	return flags&unix.O_CLOEXEC != 0, 0
}
