package broker

import (
	"bufio"
	"bytes"
	"os"
	"slices"
	"strconv"
)

// watched is one registration as the kernel shows it of an epoll
// (proc_pid_fdinfo(5)):
//
//	tfd:        5 events:       1d data:                5  pos:0 ino:61af sdev:7
type watched struct {
	number int
	events uint32
	data   uint64
	inode  uint64
}

// readEntries reads the registrations of a file under any of numbers, which are
// sorted.
func readEntries(epoll int, numbers []int, file int) []entry {
	inode, errno := inodeOf(file)
	if errno != 0 {
		return nil
	}
	var found []entry
	_ = eachWatched(epoll, func(w watched) {
		if _, ours := slices.BinarySearch(numbers, w.number); ours && w.inode == inode && len(found) < maxEntries {
			found = append(found, entry{epoll: epoll, number: w.number, events: w.events, data: w.data})
		}
	})
	return found
}

// eachWatched reads all registrations of one of our epolls. It holds one line at a
// time: a program can make millions of registrations.
func eachWatched(epoll int, do func(watched)) error {
	table, err := os.Open("/proc/self/fdinfo/" + strconv.Itoa(epoll))
	if err != nil {
		return err
	}
	defer table.Close()
	lines := bufio.NewScanner(table)
	for lines.Scan() {
		if w, ok := parseWatched(lines.Bytes()); ok {
			do(w)
		}
	}
	return lines.Err()
}

// parseWatched reads one line; ok is false if it is not about a registration.
func parseWatched(line []byte) (w watched, ok bool) {
	number, line, found := field(line, "tfd:", 10)
	if !found {
		return w, false
	}
	events, line, hasEvents := field(line, "events:", 16)
	data, line, hasData := field(line, "data:", 16)
	_, line, hasPosition := field(line, "pos:", 10)
	inode, _, hasInode := field(line, "ino:", 16)
	w = watched{number: int(number), events: uint32(events), data: data, inode: inode}
	return w, hasEvents && hasData && hasPosition && hasInode
}

// field reads a number behind its name and returns what follows.
func field(line []byte, name string, base int) (value uint64, rest []byte, ok bool) {
	line, ok = bytes.CutPrefix(bytes.TrimLeft(line, " "), []byte(name))
	if !ok {
		return 0, line, false
	}
	line = bytes.TrimLeft(line, " ")
	end := bytes.IndexAny(line, " \n")
	if end < 0 {
		end = len(line)
	}
	value, err := strconv.ParseUint(string(line[:end]), base, 64)
	return value, line[end:], err == nil
}
