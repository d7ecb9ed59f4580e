package policy

import (
	"bytes"
	"errors"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/policy/document"
)

// writerPatience is how long the writer of a FIFO may take to open it: a shell starts
// it beside pysandbox, as in `generate > fifo & pysandbox ...`.
const writerPatience = time.Second

// errNoWriter is why a FIFO cannot be read.
var errNoWriter = errors.New("no process writes to this FIFO; start its writer first")

// readPolicyFile reads at most a byte more than a document may have.
func readPolicyFile(path string) ([]byte, error) { return readFile(path, document.MaxSize+1) }

// readVariables reads a file of --env-file, which is no larger than a document.
func readVariables(path string) ([]byte, error) {
	data, err := readFile(path, document.MaxSize+1)
	if err == nil && len(data) > document.MaxSize {
		err = errors.New("a file of variables has at most 1 MiB")
	}
	return data, err
}

// readFile reads at most limit bytes.
func readFile(path string, limit int64) ([]byte, error) {
	if info, err := os.Stat(path); err == nil && info.Mode()&os.ModeNamedPipe != 0 && !anonymous(path) {
		return readFIFO(path, limit)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, limit))
}

// anonymous is true for a pipe(7) behind a name such as /dev/fd/63, which a shell makes
// of <(COMMAND): to open it waits for nobody.
func anonymous(path string) bool {
	var st unix.Statfs_t
	return unix.Statfs(path, &st) == nil && st.Type == unix.PIPEFS_MAGIC
}

// readFIFO reads what the writers of a FIFO write, but does not wait long for the first
// of them: fifo(7), open(2) O_NONBLOCK.
func readFIFO(path string, limit int64) ([]byte, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	first, err := awaitWriter(fd)
	if err == nil {
		err = unix.SetNonblock(fd, false)
	}
	file := os.NewFile(uintptr(fd), path)
	defer file.Close()
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(io.MultiReader(bytes.NewReader(first), file), limit))
}

// awaitWriter returns when a FIFO has had a writer, with what it has read of it.
func awaitWriter(fd int) (first []byte, err error) {
	ready := 0
	for begun := time.Now(); ; {
		left := max(0, writerPatience-time.Since(begun))
		ready, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(left.Milliseconds()))
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if ready > 0 || err != nil {
		return nil, err
	}
	first = make([]byte, 1)
	n, err := unix.Read(fd, first) // EAGAIN where there is a writer
	switch {
	case errors.Is(err, unix.EAGAIN):
		return nil, nil
	case err == nil && n == 0:
		return nil, errNoWriter
	}
	return first[:max(n, 0)], err
}
