package namespaces

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
)

// Tree is what becomes visible inside beside the skeleton, in any order.
type Tree struct {
	Binds []Bind
	Links []Link
	Tmpfs []Tmpfs
}

// Bind shows the host's Source at Target. Neither path may go through a symlink.
type Bind struct {
	Source, Target string
	Flags          uint16 // FlagReadOnly, FlagNoExec, FlagNoSymfollow
}

// Link is a symlink at Path with the given text.
type Link struct{ Path, Text string }

// Tmpfs is a file system in memory. Zero Bytes or Inodes leave the kernel's
// defaults (tmpfs(5)): half of the memory, and as many inodes as pages of that.
type Tmpfs struct {
	Path          string
	Bytes, Inodes uint64
	Mode          uint64
	Flags         uint16 // FlagReadOnly, FlagNoExec
}

// restrictions are the flags of a bind that take something away.
const restrictions = FlagReadOnly | FlagNoExec | FlagNoSymfollow

// Operations returns the operations that build the tree: parents before what is
// mounted below them, each path once. Where two binds show the same source at
// the same place, only what both forbid is forbidden. A bind that its parent
// already shows with the same flags is left out, and so is a link that a bind of
// the host's own tree shows. Paths that contradict each other are an error.
//
// What is mounted below a writable bind stays where it is: the directories between
// are pinned, as a mount point cannot be renamed, but the directory that it is in.
func (t Tree) Operations() (Program, error) {
	places, err := t.places()
	if err != nil {
		return nil, err
	}
	slices.SortFunc(places, func(a, b place) int { return ComparePaths(a.path, b.path) })
	var (
		p     Program
		above []place // what the current path lies below, outermost first
	)
	for _, next := range places {
		for len(above) > 0 && !isBelow(next.path, above[len(above)-1].path) {
			above = above[:len(above)-1]
		}
		if len(above) > 0 {
			shown, err := next.shownBy(above[len(above)-1])
			if err != nil {
				return nil, err
			}
			if shown {
				continue
			}
			for _, pin := range pinsBetween(above[len(above)-1], next.path) {
				above = append(above, pin)
				p = append(p, pin.op)
			}
		}
		above = append(above, next)
		p = append(p, next.op)
	}
	return p, nil
}

// pinsBetween are the directories strictly between a writable bind and a path below
// it, outermost first. Below any other place there are none.
func pinsBetween(parent place, below string) []place {
	if parent.op.Code != OpBind || parent.op.Flags&FlagReadOnly != 0 {
		return nil
	}
	var pins []place
	for dir := path.Dir(below); isBelow(dir, parent.path); dir = path.Dir(dir) {
		pins = append(pins, place{dir, Op{
			Code: OpBind, S1: parent.source(dir), S2: dir, Flags: parent.op.Flags | FlagPin,
		}})
	}
	slices.Reverse(pins)
	return pins
}

// source is the host's path of what a bind shows at a path below it.
func (c place) source(below string) string {
	return path.Join(c.op.S1, strings.TrimPrefix(below, c.path))
}

// place is a path inside with the operation that makes it.
type place struct {
	path string
	op   Op
}

func (t Tree) places() ([]place, error) {
	var ops Program
	for _, m := range t.Tmpfs {
		ops = append(ops, Op{Code: OpTmpfs, S1: m.Path, N1: m.Bytes, N2: m.Inodes, N3: m.Mode, Flags: m.Flags})
	}
	for _, b := range t.Binds {
		ops = append(ops, Op{Code: OpBind, S1: b.Source, S2: b.Target, Flags: b.Flags})
	}
	for _, l := range t.Links {
		ops = append(ops, Op{Code: OpSymlink, S1: l.Path, S2: l.Text})
	}
	var places []place
	at := make(map[string]int)
	for _, op := range ops {
		if err := op.check(); err != nil {
			return nil, fmt.Errorf("build the sandbox's tree: %v: %w", op, err)
		}
		where := op.S1
		if op.Code == OpBind {
			where = op.S2
		}
		i, taken := at[where]
		if !taken {
			at[where] = len(places)
			places = append(places, place{where, op})
			continue
		}
		joined, ok := join(places[i].op, op)
		if !ok {
			return nil, fmt.Errorf("build the sandbox's tree: %q is wanted twice, as %v and as %v", where, places[i].op, op)
		}
		places[i].op = joined
	}
	return places, nil
}

// join makes one operation of two for the same path.
func join(a, b Op) (Op, bool) {
	same := a.Code == b.Code && a.S1 == b.S1 && a.S2 == b.S2 && a.N1 == b.N1 && a.N2 == b.N2 && a.N3 == b.N3
	switch {
	case same && a.Code == OpBind && (a.Flags^b.Flags)&^restrictions == 0:
		a.Flags &= b.Flags
		return a, true
	case same && a.Flags == b.Flags:
		return a, true
	default:
		return Op{}, false
	}
}

// shownBy says whether parent, the nearest place above, already shows what this
// place would.
func (c place) shownBy(parent place) (bool, error) {
	if parent.op.Code == OpSymlink {
		return false, fmt.Errorf("build the sandbox's tree: %q lies below the link %v; name its real path", c.path, parent.op)
	}
	if parent.op.Code != OpBind {
		return false, nil
	}
	source := parent.source(c.path)
	switch c.op.Code {
	case OpBind:
		return c.op.S1 == source && c.op.Flags == parent.op.Flags&^FlagPin, nil
	case OpSymlink:
		if c.path != source {
			return false, fmt.Errorf("build the sandbox's tree: the link %v would lie in %v, which cannot be written to", c.op, parent.op)
		}
		return true, nil
	default:
		return false, nil
	}
}

// isBelow says whether child is a path strictly below parent.
func isBelow(child, parent string) bool {
	return len(child) > len(parent) && child[:len(parent)] == parent && (parent == "/" || child[len(parent)] == '/')
}

// ComparePaths orders paths so that all that lies below a path follows it at
// once; plain string order puts "/a-b" between "/a" and "/a/b".
func ComparePaths(a, b string) int {
	for i := range min(len(a), len(b)) {
		x, y := a[i], b[i]
		switch {
		case x == y:
		case x == '/':
			return -1
		case y == '/':
			return 1
		default:
			return cmp.Compare(x, y)
		}
	}
	return cmp.Compare(len(a), len(b))
}
