package plan

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/pysandbox/pysandbox/namespaces"
	"github.com/pysandbox/pysandbox/policy"
)

// access is what a policy permits on one path. The zero value is to read.
type access struct{ write, exec bool }

func (a access) flags() uint16 {
	var flags uint16
	if !a.write {
		flags |= namespaces.FlagReadOnly
	}
	if !a.exec {
		flags |= namespaces.FlagNoExec
	}
	return flags
}

func (a access) rights() namespaces.LandlockRights {
	rights := namespaces.RightsReadOnly
	if a.write {
		rights = namespaces.RightsReadWrite
	}
	if a.exec {
		rights |= namespaces.RightExecute
	}
	return rights
}

// paths returns what the operator made visible, by path. One path in several
// lists has the rights of all of them; of a path and one below it each has its
// own, so a readable directory in a writable one stays read-only, and where it is
// (namespaces.FlagPin).
func (p *Plan) paths() map[string]access {
	all := make(map[string]access)
	for _, name := range p.Files.Read {
		all[name] = all[name].or(access{})
	}
	for _, name := range p.Files.Write {
		all[name] = all[name].or(access{write: true})
	}
	for _, name := range p.Files.Exec {
		all[name] = all[name].or(access{exec: true})
	}
	return all
}

func (a access) or(b access) access {
	return access{write: a.write || b.write, exec: a.exec || b.exec}
}

// HostPaths returns every host path that Resolve needs to know of, sorted: what
// the operator named, the script, where the program might start, and the sockets
// of network.unix with their directories.
func (p *Plan) HostPaths() []string {
	names := slices.Concat(p.Files.Read, p.Files.Write, p.Files.Exec, p.Network.Unix, []string{p.Invocation.Directory})
	for _, name := range p.Network.Unix {
		names = append(names, path.Dir(name))
	}
	for _, name := range []string{p.Command.Script, p.Process.Directory} {
		if name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// checkPaths refuses paths that would hide what the sandbox itself consists of.
func checkPaths(files policy.Files) error {
	var problems []error
	for _, list := range []struct {
		key   string
		names []string
	}{{"files.read", files.Read}, {"files.write", files.Write}, {"files.exec", files.Exec}} {
		for i, name := range list.names {
			if err := checkUserPath(name); err != nil {
				problems = append(problems, about(list.key, i, err))
			}
		}
	}
	return errors.Join(problems...)
}

func checkUserPath(name string) error {
	if !path.IsAbs(name) || path.Clean(name) != name || strings.IndexByte(name, 0) >= 0 {
		return fmt.Errorf("%q is not an absolute and clean path", name)
	}
	if isKernels(name) {
		return fmt.Errorf("%s is the host's, and the sandbox has devices and processes of its own; it cannot be named", name)
	}
	for _, own := range ownPlaces() {
		switch {
		case !isSameOrBelow(own, name):
		case own == name && !slices.Contains(ownTrees(), name):
			return fmt.Errorf("the sandbox has %s of its own; the host's cannot be shown in its place", name)
		default:
			return fmt.Errorf("%s would hide the sandbox's own %s; name what you need below it", name, own)
		}
	}
	return nil
}

// isKernels says whether name is where devices and processes show, of which the sandbox
// has its own.
func isKernels(name string) bool {
	return belowAny(name, kernelPlaces()) && !isSameOrBelow(name, "/dev/shm")
}

// kernelPlaces are where devices and processes show.
func kernelPlaces() []string { return []string{"/dev", "/proc"} }

// ownTrees are the directories of the sandbox below which paths may be named.
func ownTrees() []string { return []string{home, "/tmp", "/dev/shm"} }

// ownPlaces are the paths that the sandbox makes itself.
func ownPlaces() []string {
	places := append(ownTrees(), guestDirectory)
	for _, op := range namespaces.Skeleton() {
		where := op.S1
		if op.Code == namespaces.OpBind {
			where = op.S2
		}
		places = append(places, where)
	}
	return places
}

// isSameOrBelow says whether name is top or lies below it; both are clean.
func isSameOrBelow(name, top string) bool {
	return name == top || top == "/" || strings.HasPrefix(name, top) && name[len(top)] == '/'
}

func belowAny(name string, tops []string) bool {
	return slices.ContainsFunc(tops, func(top string) bool { return isSameOrBelow(name, top) })
}
