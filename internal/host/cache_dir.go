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

// store writes an entry where that is possible. A cache that cannot be written
// costs time and nothing else.
func (c Cache) store(e *cacheEntry) {
	dir, err := MakeOwnDir(c.Dir)
	if err != nil {
		return
	}
	defer dir.Close()
	dir.removeOldest()
	_ = dir.Replace(entryName(e.key, e.program), e.encode())
}

// maxEntries is the number of entries from which on old ones give way: virtual
// environments come and go.
const maxEntries = 256

// removeOldest makes room: half of the entries go when there are too many.
func (d OwnDir) removeOldest() {
	root, err := d.root()
	if err != nil {
		return
	}
	defer func() { _ = root.Close() }()
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
