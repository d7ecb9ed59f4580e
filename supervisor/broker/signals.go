package broker

import (
	"bytes"
	"strconv"

	"golang.org/x/sys/unix"
)

// signals are the masks of one thread (proc_pid_status(5)). The zero value is of a
// thread for which no signal waits, as one counts that cannot be read.
type signals struct{ thread, process, blocked uint64 }

// statusFiles are the open /proc/<tid>/status of the callers that wait, by
// notification id. Only the watcher uses them.
type statusFiles map[uint64]int

// keep closes the files of calls that wait no more.
func (f statusFiles) keep(calls map[uint64]*waiting) {
	for id, fd := range f {
		if calls[id] == nil {
			closeFD(fd)
			delete(f, id)
		}
	}
}

// signals reads the masks of a caller that waits.
func (f statusFiles) signals(w *waiting) signals {
	fd, open := f[w.req.ID]
	if !open {
		var errno error
		if fd, errno = openStatus(w.req.thread.tid); errno != nil {
			return signals{}
		}
		f[w.req.ID] = fd
	}
	return readSignals(fd)
}

// signalsOf reads the masks of a thread once.
func signalsOf(tid int) signals {
	fd, err := openStatus(tid)
	if err != nil {
		return signals{}
	}
	defer closeFD(fd)
	return readSignals(fd)
}

func openStatus(tid int) (int, error) {
	return unix.Open("/proc/"+strconv.Itoa(tid)+"/status", unix.O_RDONLY|unix.O_CLOEXEC, 0)
}

// readSignals reads a status file from its beginning.
func readSignals(fd int) signals {
	var buf [4096]byte
	n, errno := readStart(fd, buf[:])
	if errno != 0 {
		return signals{}
	}
	text := buf[:n]
	return signals{thread: mask(text, "\nSigPnd:"), process: mask(text, "\nShdPnd:"), blocked: mask(text, "\nSigBlk:")}
}

// mask reads one line of hexadecimal digits.
func mask(status []byte, field string) uint64 {
	_, after, _ := bytes.Cut(status, []byte(field))
	line, _, _ := bytes.Cut(after, []byte("\n"))
	value, err := strconv.ParseUint(string(bytes.TrimSpace(line)), 16, 64)
	if err != nil {
		return 0
	}
	return value
}
