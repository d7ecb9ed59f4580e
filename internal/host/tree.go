package host

import (
	"fmt"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// maxLinks is the number of symlinks after which path_resolution(7) gives up.
const maxLinks = 40

// tree resolves host paths one component at a time, as path_resolution(7) does,
// and tells which symlinks it went through. It remembers what it has seen, so
// one tree answers for one moment and is then thrown away.
type tree struct {
	seen    map[string]entry
	watched map[string]bool // what was read, beside being looked at
}

// entry is what lstat(2) said of one path that has no symlink above it.
type entry struct {
	stat   unix.Stat_t
	target string // of a symlink
	err    error
}

func (e entry) isDir() bool { return e.err == nil && e.stat.Mode&unix.S_IFMT == unix.S_IFDIR }

// place is an existing file or directory.
type place struct {
	path   string // absolute, without symlinks
	stat   unix.Stat_t
	public bool   // every user of this host may read it
	via    []Link // the symlinks on the way, in order
}

func (p place) isDir() bool { return p.stat.Mode&unix.S_IFMT == unix.S_IFDIR }

func (p place) isFile() bool { return p.stat.Mode&unix.S_IFMT == unix.S_IFREG }

func (p place) isSocket() bool { return p.stat.Mode&unix.S_IFMT == unix.S_IFSOCK }

func newTree() *tree {
	return &tree{seen: make(map[string]entry), watched: make(map[string]bool)}
}

// watch records that the content of a path was read: what was found out holds
// only as long as that does not change.
func (t *tree) watch(path string) {
	t.lstat(path)
	t.watched[path] = true
}

// walk resolves an absolute path to the file it names. With an error come the
// symlinks until there.
func (t *tree) walk(path string) (place, error) {
	at := place{path: "/", public: true}
	rest := components(path)
	for len(rest) > 0 {
		name := rest[0]
		rest = rest[1:]
		if name == ".." {
			at.path = filepath.Dir(at.path)
			continue
		}
		next := join(at.path, name)
		found := t.lstat(next)
		switch {
		case found.err != nil:
			return place{via: at.via}, fmt.Errorf("find %s: %w", path, found.err)
		case found.stat.Mode&unix.S_IFMT != unix.S_IFLNK:
			at.path = next
			if len(rest) > 0 && found.stat.Mode&0o001 == 0 {
				at.public = false
			}
			continue
		}
		at.via = append(at.via, Link{Path: next, Target: found.target})
		if len(at.via) > maxLinks {
			return place{via: at.via}, fmt.Errorf("find %s: %w", path, unix.ELOOP)
		}
		if filepath.IsAbs(found.target) {
			at.path = "/"
		}
		rest = append(components(found.target), rest...)
	}
	at.stat = t.lstat(at.path).stat
	if at.stat.Mode&0o004 == 0 || (at.isDir() && at.stat.Mode&0o001 == 0) {
		at.public = false
	}
	return at, nil
}

// isFile says whether path leads to a regular file.
func (t *tree) isFile(path string) bool {
	found, err := t.walk(path)
	return err == nil && found.isFile()
}

// isDir says whether path leads to a directory.
func (t *tree) isDir(path string) bool {
	found, err := t.walk(path)
	return err == nil && found.isDir()
}

func (t *tree) lstat(path string) entry {
	if known, ok := t.seen[path]; ok {
		return known
	}
	var e entry
	e.err = unix.Lstat(path, &e.stat)
	if e.err == nil && e.stat.Mode&unix.S_IFMT == unix.S_IFLNK {
		e.target, e.err = readlink(path)
	}
	t.seen[path] = e
	return e
}

func readlink(path string) (string, error) {
	buffer := make([]byte, unix.PathMax)
	n, err := unix.Readlink(path, buffer)
	if err != nil {
		return "", err
	}
	return string(buffer[:n]), nil
}

// components splits a path, without the parts that name nothing.
func components(path string) []string {
	var names []string
	for name := range strings.SplitSeq(path, "/") {
		if name != "" && name != "." {
			names = append(names, name)
		}
	}
	return names
}

func join(dir, name string) string {
	if dir == "/" {
		return "/" + name
	}
	return dir + "/" + name
}

// within says whether path is dir or lies below it; both are clean.
func within(path, dir string) bool {
	return path == dir || dir == "/" || strings.HasPrefix(path, dir) && path[len(dir)] == '/'
}
