package broker

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// closedUnsent counts the sockets of this user that are closed and that the kernel keeps
// for what they have not sent: for minutes, where the far end takes nothing. They are in
// the tables of proc_pid_net(5), tcp, without an inode. Those of other programs of an
// ordinary user count too. ok is false where a table cannot be read.
func closedUnsent() (count int, ok bool) {
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
