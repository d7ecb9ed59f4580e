package policy

import (
	"bytes"
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/fifo"
	"github.com/pysandbox/pysandbox/policy/document"
)

// readPolicyFile reads at most a byte more than a document may have.
func readPolicyFile(path string) ([]byte, error) { return readFile(path, document.MaxSize+1) }

// readVariables reads a file of --env-file, which is no larger than a document and may
// begin with a byte order mark as one may.
func readVariables(path string) ([]byte, error) {
	data, err := readFile(path, document.MaxSize+1)
	if err == nil && len(data) > document.MaxSize {
		err = errors.New("a file of variables has at most 1 MiB")
	}
	return bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), err
}

// readFile reads at most limit bytes.
func readFile(path string, limit int64) ([]byte, error) {
	if info, err := os.Stat(path); err == nil && info.Mode()&os.ModeNamedPipe != 0 && !anonymous(path) {
		return fifo.Read(path, limit)
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
