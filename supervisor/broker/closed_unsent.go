package broker

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// closedUnsent counts the sockets of this user that are closed and that the kernel keeps
// for what they have not sent: for minutes, where the far end takes nothing. They are in
// the tables of proc_pid_net(5), tcp, without an inode. Those of other programs of an
// ordinary user count too. ok is false where a table cannot be read.
//
// The tables take milliseconds to read, and tens of them where there are thousands of
// sockets. So where the host has at most half as many as closed that could be meant, all
// of those count.
func closedUnsent(closed int) (count int, ok bool) {
	if text, err := os.ReadFile("/proc/thread-self/net/sockstat"); err == nil {
		if most, known := keptByHost(string(text)); known && 2*most <= closed {
			return most, true
		}
	}
	for _, table := range []string{"tcp", "tcp6"} {
		text, err := os.ReadFile("/proc/thread-self/net/" + table)
		if errors.Is(err, fs.ErrNotExist) { // no IPv6 on this host
			continue
		}
		if err != nil {
			return 0, false
		}
		user := strconv.Itoa(unix.Geteuid())
		for line := range bytes.Lines(text) {
			if isClosedUnsent(strings.Fields(string(line)), user) {
				count++
			}
		}
	}
	return count, true
}

// keptByHost is how many closed sockets the host's kernel keeps, of all network namespaces
// and for whatever reason (tcp_orphan_count), by the line "TCP: inuse 3 orphan 1 tw 7 alloc
// 9 mem 1" of a file.
func keptByHost(sockstat string) (count int, ok bool) {
	for line := range strings.Lines(sockstat) {
		fields := strings.Fields(line)
		at := slices.Index(fields, "orphan") + 1
		if len(fields) > 0 && fields[0] == "TCP:" && at > 0 && at < len(fields) {
			count, err := strconv.Atoi(fields[at])
			return count, err == nil && count >= 0
		}
	}
	return 0, false
}

// isClosedUnsent judges a row of a table by its fields: state, queues, user and inode.
func isClosedUnsent(fields []string, user string) bool {
	const state, queues, owner, inode = 3, 4, 7, 9
	if len(fields) <= inode || fields[inode] != "0" || fields[owner] != user {
		return false
	}
	unsent, _, _ := strings.Cut(fields[queues], ":")
	timeWait := fields[state] == "06"
	return !timeWait && strings.Trim(unsent, "0") != ""
}
