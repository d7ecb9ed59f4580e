package broker

import (
	"bytes"
	"os"
	"strconv"
)

// readEntries reads the registrations of a file under a number from what the
// kernel shows of an epoll (proc_pid_fdinfo(5)):
//
//	tfd:        5 events:       1d data:                5  pos:0 ino:61af sdev:7
func readEntries(epoll, number, file int) []entry {
	inode, errno := inodeOf(file)
	if errno != 0 {
		return nil
	}
	var found []entry
	for _, fields := range watchedBy(epoll) {
		if fields["tfd"] == uint64(number) && fields["ino"] == inode {
			found = append(found, entry{epoll: epoll, number: number, events: uint32(fields["events"]), data: fields["data"]})
		}
	}
	return found
}

// watchedBy reads all registrations of one of our epolls.
func watchedBy(epoll int) []map[string]uint64 {
	text, err := os.ReadFile("/proc/self/fdinfo/" + strconv.Itoa(epoll))
	if err != nil {
		return nil
	}
	var all []map[string]uint64
	for line := range bytes.Lines(text) {
		if fields := entryFields(line); fields != nil {
			all = append(all, fields)
		}
	}
	return all
}

// entryFields reads one line, or returns nil if it is not about a registration.
func entryFields(line []byte) map[string]uint64 {
	if !bytes.HasPrefix(line, []byte("tfd:")) {
		return nil
	}
	fields := make(map[string]uint64)
	words := bytes.Fields(bytes.ReplaceAll(line, []byte(":"), []byte(": ")))
	for i := 0; i+1 < len(words); i += 2 {
		name := string(bytes.TrimSuffix(words[i], []byte(":")))
		base := 16
		if name == "tfd" || name == "pos" {
			base = 10
		}
		value, err := strconv.ParseUint(string(words[i+1]), base, 64)
		if err != nil {
			return nil
		}
		fields[name] = value
	}
	return fields
}
