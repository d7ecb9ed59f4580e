package host

import (
	"fmt"
	"hash/fnv"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// maxEntry bounds an entry; a typical one has some 5 KiB.
const maxEntry = 1 << 20

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
	name := entryName(e.key, e.program)
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

// entryName is the file of a key. Two keys may share one; the entry says whose it
// is. Binaries that are used side by side have entries of their own.
func entryName(key string, program identity) string {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%d %d %s", program.device, program.inode, key)
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
