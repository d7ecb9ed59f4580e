package broker

import (
	"bytes"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// readEntries reads the registrations of a file under a number from what the
// kernel shows of an epoll (proc_pid_fdinfo(5)):
//
//	tfd:        5 events:       1d data:                5  pos:0 ino:61af sdev:7
func readEntries(epoll, number, file int) []entry {
	var stat unix.Stat_t
	if unix.Fstat(file, &stat) != nil {
		return nil
	}
	text, err := os.ReadFile("/proc/self/fdinfo/" + strconv.Itoa(epoll))
	if err != nil {
		return nil
	}
	var found []entry
	for line := range bytes.Lines(text) {
		fields := entryFields(line)
		if fields == nil || fields["tfd"] != uint64(number) || fields["ino"] != stat.Ino {
			continue
		}
		found = append(found, entry{epoll: epoll, number: number, events: uint32(fields["events"]), data: fields["data"]})
	}
	return found
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
