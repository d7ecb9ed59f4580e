package host

import (
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// Cache keeps the closures of interpreters, which take tens of milliseconds to
// find, in files that only this user can write. The zero value keeps nothing.
type Cache struct {
	Dir string // absolute; empty for no cache
}

// UserCache returns the cache of the caller: below /var/cache for root, else
// below XDG_CACHE_HOME or ~/.cache. Without a home there is none.
func UserCache(caller Caller) Cache {
	if caller.UID == 0 {
		return Cache{Dir: "/var/cache/pysandbox"}
	}
	base := caller.Env["XDG_CACHE_HOME"]
	if !filepath.IsAbs(base) && filepath.IsAbs(caller.Env["HOME"]) {
		base = filepath.Join(caller.Env["HOME"], ".cache")
	}
	if !filepath.IsAbs(base) {
		return Cache{}
	}
	return Cache{Dir: filepath.Join(base, "pysandbox")}
}

// FindInterpreter is FindInterpreter with a closure from the cache where that
// has one which still holds. What cannot be kept is found again the next time.
func (c Cache) FindInterpreter(request string, caller Caller) (Interpreter, error) {
	executable, err := locate(newTree(), request, caller)
	if err != nil {
		return Interpreter{}, err
	}
	if python, ok := c.load(executable, caller); ok {
		return python, nil
	}
	began := time.Now()
	t := newTree()
	s, err := examine(t, executable, caller)
	if err != nil {
		return Interpreter{}, err
	}
	python, own, err := buildInterpreter(t, s, caller)
	if err != nil {
		return Interpreter{}, err
	}
	python.Closure = python.Group(groupedLibraries)
	witnesses := t.witnesses(own)
	if settled := began.Add(-clockTick); c.Dir != "" && latest(witnesses) < settled.UnixNano() {
		c.store(&cacheEntry{
			program: programIdentity(), kernel: ReadKernel().Release, home: caller.Env["HOME"],
			python: python, witnesses: witnesses,
		})
	}
	return python, nil
}

// groupedLibraries is the number of libraries from which on their directory is
// bound as a whole.
const groupedLibraries = 8

// clockTick bounds the granularity of change times: a file that was changed
// within it before it was read may be changed again without a trace.
const clockTick = 20 * time.Millisecond

// maxEntry bounds an entry; a typical one has some 10 KiB.
const maxEntry = 1 << 20

// load returns what the cache has for an executable, if every witness holds.
func (c Cache) load(executable string, caller Caller) (Interpreter, bool) {
	dir, err := c.open(caller)
	if err != nil {
		return Interpreter{}, false
	}
	defer unix.Close(dir)
	data, err := readSmall(dir, entryName(executable), maxEntry)
	if err != nil {
		return Interpreter{}, false
	}
	e, err := decodeEntry(data)
	if err != nil || e.python.Executable != executable || e.home != caller.Env["HOME"] ||
		e.program != programIdentity() || e.kernel != ReadKernel().Release {
		return Interpreter{}, false
	}
	return e.python, holds(e.witnesses)
}

// open opens the directory of the cache. One that another user owns or may look
// into is refused: what it holds decides what a sandbox can see.
func (c Cache) open(caller Caller) (int, error) {
	if c.Dir == "" {
		return -1, unix.ENOENT
	}
	dir, err := unix.Open(c.Dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	var stat unix.Stat_t
	err = unix.Fstat(dir, &stat)
	if err == nil && (int(stat.Uid) != caller.UID || stat.Mode&0o077 != 0) {
		err = ErrUntrusted
	}
	if err != nil {
		unix.Close(dir)
		return -1, err
	}
	return dir, nil
}

// store writes an entry where that is possible. A cache that cannot be written
// costs time and nothing else.
func (c Cache) store(e *cacheEntry) {
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return
	}
	caller := Caller{UID: os.Geteuid()}
	dir, err := c.open(caller)
	if err != nil {
		return
	}
	defer unix.Close(dir)
	root, err := os.OpenRoot(fmt.Sprintf("/proc/self/fd/%d", dir))
	if err != nil {
		return
	}
	defer func() { _ = root.Close() }()
	removeOldest(root)
	name := entryName(e.python.Executable)
	draft := fmt.Sprintf("%s.%d", name, os.Getpid())
	if err := root.WriteFile(draft, e.encode(), 0o600); err != nil {
		return
	}
	if err := root.Rename(draft, name); err != nil {
		_ = root.Remove(draft)
	}
}

// maxEntries is the number of entries from which on old ones give way: virtual
// environments come and go.
const maxEntries = 256

// removeOldest makes room: half of the entries go when there are too many.
func removeOldest(root *os.Root) {
	dir, err := root.Open(".")
	if err != nil {
		return
	}
	defer dir.Close()
	infos, err := dir.Readdir(-1)
	if err != nil || len(infos) < maxEntries {
		return
	}
	slices.SortFunc(infos, func(x, y os.FileInfo) int { return x.ModTime().Compare(y.ModTime()) })
	for _, info := range infos[:maxEntries/2] {
		_ = root.Remove(info.Name())
	}
}

// entryName is the file of an executable. Two executables may share one; the
// entry says for which it is.
func entryName(executable string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(executable))
	return fmt.Sprintf("%016x", h.Sum64())
}

// programIdentity is that of the running binary: another version may find other
// closures.
func programIdentity() identity {
	var stat unix.Stat_t
	if err := unix.Stat("/proc/self/exe", &stat); err != nil {
		return identity{}
	}
	return identityOf(&stat, unchanged)
}
