package broker

import (
	"bytes"
	"encoding/binary"
	"strconv"

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
	open := b.openCount(req)
	if open == 0 || open > fewDescriptors {
		return nil, false
	}
	// Numbers are mostly dense, so trying them is quicker than a listing.
	numbers = append(make([]int, 0, 4), s.number)
	seen := 0
	for n := 0; n < 2*open && seen < open; n++ {
		if n == s.number { // looked at right before it is replaced
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
	if seen < open {
		return b.allHolders(req, s), true
	}
	return numbers, true
}

// allHolders is holders for a process of any size.
func (b *Broker) allHolders(req *request, s *socket) []int {
	numbers := []int{s.number}
	for _, n := range numbersOf(int(req.PID)) {
		if same, _ := b.sameFile(s.fd, int(req.PID), n); same && n != s.number {
			numbers = append(numbers, n)
		}
	}
	return numbers
}

// numbersOf lists the open descriptors of a thread.
func numbersOf(tid int) []int {
	dir, errno := openPath(procPath(tid, "/fd"), unix.O_DIRECTORY)
	if errno != 0 {
		return nil
	}
	defer closeFD(dir)
	var numbers []int
	var buf [4096]byte
	for {
		size, errno := readDir(dir, buf[:])
		if errno != 0 || size == 0 {
			return numbers
		}
		numbers = append(numbers, numbersIn(buf[:size])...)
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
