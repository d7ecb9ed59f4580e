package host

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// witness is what lstat(2) said of a path when a closure was found. The closure
// holds as long as every witness says the same.
type witness struct {
	path string
	kind witnessKind
	// under is the index of the witness, plus one, of the directory that has this
	// name: while that directory's entries are the same, this one need not be
	// asked. 0 for none.
	under int
	identity
}

// identity tells whether a file is the same, and whether it was changed since:
// the change time moves with the content, the owner, the rights and, of a
// directory, the entries, and no program can set it back.
type identity struct {
	device, inode uint64
	mode, uid     uint32
	changed       int64 // nanoseconds; 0 where only the file itself matters
}

type witnessKind byte

const (
	absent    witnessKind = iota // nothing was there
	same                         // the same file, whatever became of its content
	unchanged                    // the same file with the same content
	entries                      // the same directory; unless changed it answers for its names
	kinds                        // number of kinds
)

// someLookups is the number of names in one directory from which on it answers
// for them.
const someLookups = 2

// witnesses returns what was seen through the tree, sorted by path. own are
// directories that belong to the interpreter alone: like those of the system,
// they change so seldom that their names need no witnesses of their own.
func (t *tree) witnesses(own []string) []witness {
	lookups := t.lookups()
	answers := func(dir string) bool { return lookups[dir] >= someLookups }
	var list []witness
	at := make(map[string]int)
	for _, path := range slices.Sorted(maps.Keys(t.seen)) {
		e, dir, read := t.seen[path], filepath.Dir(path), t.watched[path]
		if answers(dir) && path != "/" && changesSeldom(dir, own) && !read && !answers(path) {
			continue
		}
		w := witness{path: path, kind: unchanged, under: at[dir]}
		switch {
		case e.err != nil:
			w.kind = absent
		case read, answers(path) && changesSeldom(path, own):
			w.under = 0
		case answers(path):
			w.kind, w.under = entries, 0
		case e.isDir():
			w.kind = same
		}
		if w.kind != absent {
			w.identity = identityOf(&e.stat, w.kind)
		}
		list = append(list, w)
		if answers(path) {
			at[path] = len(list)
		}
	}
	return list
}

// lookups counts the names that were looked up in each directory, and sees to it
// that the directories themselves were seen.
func (t *tree) lookups() map[string]int {
	count := make(map[string]int)
	for path := range t.seen {
		if path != "/" {
			count[filepath.Dir(path)]++
		}
	}
	for dir := range count {
		if !t.lstat(dir).isDir() {
			delete(count, dir)
		}
	}
	return count
}

// holds says whether the host still is as the witnesses saw it.
func holds(list []witness) bool {
	same := make([]bool, len(list)+1) // by under: the directory's names are the same
	for i := range list {
		w := &list[i]
		if same[w.under] {
			continue
		}
		var stat unix.Stat_t
		if err := unix.Lstat(w.path, &stat); err != nil {
			if w.kind != absent {
				return false
			}
			continue
		}
		now := identityOf(&stat, w.kind)
		same[i+1] = now == w.identity
		if w.kind == entries {
			now.changed = w.changed
		}
		if w.kind == absent || now != w.identity {
			return false
		}
	}
	return true
}

// latest returns the newest change time that a witness relies on.
func latest(list []witness) int64 {
	var newest int64
	for i := range list {
		newest = max(newest, list[i].changed)
	}
	return newest
}

// changesSeldom says whether a directory holds software, and not what people
// work on.
func changesSeldom(dir string, own []string) bool {
	return isSystemDir(dir) || slices.ContainsFunc(own, func(tree string) bool { return within(dir, tree) })
}

// isSystemDir says whether only the system's software lies in a directory.
func isSystemDir(dir string) bool {
	for _, tree := range []string{"/usr", "/lib", "/lib64", "/nix/store", "/gnu/store"} {
		if within(dir, tree) {
			return true
		}
	}
	return false
}

func identityOf(stat *unix.Stat_t, kind witnessKind) identity {
	id := identity{device: stat.Dev, inode: stat.Ino, mode: stat.Mode, uid: stat.Uid}
	if kind == unchanged || kind == entries {
		id.changed = stat.Ctim.Nano()
	}
	return id
}

// isCleanPath says whether a path is absolute and has no part that leads back.
func isCleanPath(path string) bool {
	return filepath.IsAbs(path) && filepath.Clean(path) == path && !strings.ContainsRune(path, 0)
}
