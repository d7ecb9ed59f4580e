package supervisor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/fifo"
	"github.com/pysandbox/pysandbox/internal/host"
)

// reportMode is of a new file, before the caller's umask.
const reportMode = 0o644

// Destination is where a report or an audit stream goes: a file, or a
// descriptor that the caller passed as "fd:N". It is opened before the run, so
// that a mistake is told before the program has done anything, and so that root
// opens it with root's rights.
type Destination struct {
	file *os.File // open for writing, or nil: written by rename
	dir  *os.Root
	name string

	inPlace bool // file is a regular one, named by a path: Begin empties it
}

// OpenDestination opens spec, which is a path or "fd:N". A regular file is
// replaced as a whole: an ordinary user's by rename, so that a reader sees the
// old content or the new; root, who has given up the right to rename by the
// end of the run, empties it with Begin and fills it at the end. Root follows no
// symbolic link in any part of the path.
func OpenDestination(spec string) (*Destination, error) {
	if number, ok := passedNumber(spec); ok {
		return openNumber(spec, number)
	}
	if spec == "-" {
		return nil, errDash
	}
	if os.Geteuid() == 0 {
		file, err := createNoFollow(spec, 0)
		if err != nil {
			return nil, err
		}
		regular, err := hasOneName(file)
		if err != nil {
			_ = file.Close()
			return nil, err
		}
		return &Destination{file: file, inPlace: regular}, nil
	}
	info, err := os.Stat(spec)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("create %s: %w", spec, withoutPath(err))
	}
	if err == nil && !info.Mode().IsRegular() {
		file, err := openUnwaiting(spec, os.O_WRONLY)
		if err != nil {
			return nil, err
		}
		return &Destination{file: file}, nil
	}
	dir, err := os.OpenRoot(filepath.Dir(spec))
	if err != nil {
		return nil, fmt.Errorf("open the directory of %s: %w", spec, withoutPath(err))
	}
	d := &Destination{dir: dir, name: filepath.Base(spec)}
	if err := host.CanReplace(dir, reportMode); err != nil {
		_ = dir.Close()
		return nil, fmt.Errorf("create %s: %w", spec, withoutPath(err))
	}
	return d, nil
}

// withoutPath is an error about a file without the name that the message has already.
func withoutPath(err error) error {
	if about, ok := errors.AsType[*fs.PathError](err); ok {
		return about.Err
	}
	return err
}

// errDash is why no file is named "-": elsewhere that stands for standard output.
var errDash = errors.New(`"-" is neither a file nor a descriptor`)

// passedNumber reads "fd:N", and the files by which Linux names the caller's own
// descriptors (proc(5), /proc/pid/fd): to open one anew would fail on a socket and on
// what another user has opened, and write a file from its beginning.
func passedNumber(spec string) (number string, ok bool) {
	switch spec {
	case "/dev/stdout":
		return "1", true
	case "/dev/stderr":
		return "2", true
	}
	for _, prefix := range []string{"fd:", "/dev/fd/", "/proc/self/fd/"} {
		if number, ok := strings.CutPrefix(spec, prefix); ok {
			return number, true
		}
	}
	return "", false
}

// OpenAudit opens spec for a stream of lines: "fd:N", or a path that is
// appended to. Root follows no symbolic link in any part of the path.
func OpenAudit(spec string) (*os.File, error) {
	if spec == "-" {
		return nil, errDash
	}
	if number, ok := passedNumber(spec); ok {
		d, err := openNumber(spec, number)
		if err != nil {
			return nil, err
		}
		return d.file, nil
	}
	if os.Geteuid() == 0 {
		return createNoFollow(spec, unix.O_APPEND)
	}
	return openUnwaiting(spec, os.O_WRONLY|os.O_CREATE|os.O_APPEND)
}

// Begin makes the destination ready for the one report of this run: a file that is
// written in place is emptied.
func (d *Destination) Begin() error {
	if !d.inPlace {
		return nil
	}
	if err := d.file.Truncate(0); err != nil {
		return fmt.Errorf("empty it: %w", err)
	}
	return nil
}

// Replaces is whether the report takes the place of the regular file that trail
// writes to, under whatever name. A terminal, a pipe or a device has room for both.
func (d *Destination) Replaces(trail *os.File) bool {
	kept, err := trail.Stat()
	if err != nil || !kept.Mode().IsRegular() {
		return false
	}
	var own fs.FileInfo
	if d.file != nil {
		own, err = d.file.Stat()
	} else {
		own, err = os.Stat(filepath.Join(d.dir.Name(), d.name))
	}
	return err == nil && os.SameFile(kept, own)
}

// File is what Write writes to, or nil where it replaces a file by a new one.
func (d *Destination) File() *os.File { return d.file }

// Write writes data as the whole content. Where it cannot, no earlier content is left.
func (d *Destination) Write(data []byte) error {
	if d.file != nil {
		if _, err := d.file.Write(data); err != nil {
			return err // which names the file
		}
		return nil
	}
	if err := host.ReplaceFile(d.dir, d.name, reportMode, data); err != nil {
		_ = d.dir.Remove(d.name) // an earlier report would be taken for this one
		return fmt.Errorf("replace %s: %w", d.name, err)
	}
	return nil
}

// Close closes what OpenDestination opened; the caller's descriptor stays open.
func (d *Destination) Close() error {
	if d.dir != nil {
		return d.dir.Close()
	}
	return d.file.Close()
}

// openNumber duplicates the caller's descriptor.
func openNumber(spec, number string) (*Destination, error) {
	fd, err := strconv.ParseUint(number, 10, 31)
	if err != nil {
		return nil, fmt.Errorf("%q: want fd:N with a number", spec)
	}
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil {
		return nil, fmt.Errorf("%s is not an open descriptor: %w", spec, err)
	}
	if flags&unix.O_ACCMODE == unix.O_RDONLY || flags&unix.O_PATH != 0 {
		return nil, fmt.Errorf("%s is not open for writing", spec)
	}
	own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, fmt.Errorf("duplicate %s: %w", spec, err)
	}
	return &Destination{file: os.NewFile(uintptr(own), spec)}, nil
}

// createNoFollow opens or creates a file for writing without following a
// symbolic link in any component, and without waiting for the reader of a FIFO.
func createNoFollow(path string, how int) (*os.File, error) {
	start := "."
	if filepath.IsAbs(path) {
		start = "/"
	}
	at, err := unix.Open(start, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", start, err)
	}
	defer func() { _ = unix.Close(at) }()
	if strings.HasSuffix(path, "/") {
		return nil, fmt.Errorf("open %s for writing: %w", path, unix.EISDIR)
	}
	clean := strings.Trim(filepath.Clean(path), "/")
	parts := strings.Split(clean, "/")
	for _, part := range parts[:len(parts)-1] {
		next, err := unix.Openat(at, part, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err != nil {
			return nil, linkError(path, part, err)
		}
		_ = unix.Close(at)
		at = next
	}
	last := parts[len(parts)-1]
	flags := unix.O_WRONLY | unix.O_CREAT | unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_CLOEXEC | unix.O_NOCTTY
	var fd int
	err = fifo.AwaitReader(func() error {
		fd, err = unix.Openat(at, last, flags|how, reportMode)
		return err
	})
	if errors.Is(err, unix.ENXIO) {
		return nil, noReader(path)
	}
	if err != nil {
		return nil, linkError(path, last, err)
	}
	return os.NewFile(uintptr(fd), path), nil
}

// hasOneName says whether a file is a regular one. A second name may be a trap laid in a
// directory that others can write, so such a file is refused untouched.
func hasOneName(file *os.File) (regular bool, err error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &st); err != nil {
		return false, fmt.Errorf("stat %s: %w", file.Name(), err)
	}
	regular = st.Mode&unix.S_IFMT == unix.S_IFREG
	if regular && st.Nlink > 1 {
		return true, fmt.Errorf("%s has more than one name (hard links): remove it or choose another file", file.Name())
	}
	return regular, nil
}

// linkError explains the two faces of a link: ELOOP, and ENOTDIR where a
// directory was wanted (open(2), O_NOFOLLOW with O_PATH and O_DIRECTORY).
func linkError(path, part string, err error) error {
	if errors.Is(err, unix.ELOOP) || errors.Is(err, unix.ENOTDIR) {
		return fmt.Errorf("open %s for writing: %q is a symbolic link or no directory, and root follows no links; give the real path: %w", path, part, err)
	}
	if part == path || part == filepath.Base(path) {
		return fmt.Errorf("open %s for writing: %w", path, err)
	}
	return fmt.Errorf("open %s for writing: %q: %w", path, part, err)
}
