package plan

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/pysandbox/pysandbox/internal/host"
	"github.com/pysandbox/pysandbox/namespaces"
)

// view is what will be visible inside, bound to a host: the operator's paths
// under their real names.
type view struct {
	user     map[string]access // real path, access
	links    []host.Link       // symlinks on the way to the operator's paths
	closures []host.Closure    // what programs need to run
	tree     namespaces.Tree
	rules    namespaces.Landlock // of the whole tree
}

// resolveView finds the operator's paths and builds the tree of the sandbox.
func (p *Plan) resolveView(h *Host) (*view, error) {
	v := &view{
		user:     make(map[string]access),
		closures: []host.Closure{h.Interpreter.Closure},
	}
	if p.startsPrograms() {
		v.closures = append(v.closures, h.Spawn)
	}
	if err := errors.Join(v.addUserPaths(p, h), v.addScript(p, h)); err != nil {
		return nil, err
	}
	if err := errors.Join(v.checkLinks(p, h), v.checkWritable(p, h), v.checkUnix(p, h)); err != nil {
		return nil, err
	}
	for _, c := range v.closures {
		v.addClosure(c)
	}
	for _, name := range slices.Sorted(maps.Keys(v.user)) {
		have := v.user[name]
		if have == (access{}) && slices.ContainsFunc(closurePaths(v.closures), func(shown string) bool { return isSameOrBelow(name, shown) }) {
			continue // reading is permitted already, and noexec would hide libraries
		}
		v.tree.Binds = append(v.tree.Binds, namespaces.Bind{Source: name, Target: name, Flags: have.flags()})
	}
	v.addLinks(v.links)
	v.tree.Tmpfs = []namespaces.Tmpfs{p.homeTmpfs(), p.shmTmpfs(), p.tmpTmpfs()}
	v.hideModules(p, h)
	v.rules = v.landlock(p)
	return v, v.checkCount(p, h)
}

// startsPrograms says whether anything but Python may be executed.
func (p *Plan) startsPrograms() bool {
	return !p.Command.Python || p.Process.SpawnAny || len(p.Process.Spawn) > 0 || len(p.Files.Exec) > 0
}

func (v *view) addUserPaths(p *Plan, h *Host) error {
	var problems []error
	key := func(name string) string { return p.fileKey(func(n string) bool { return n == name }) }
	all := p.paths()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		found := h.Paths[name]
		if found.Real == "" {
			problems = append(problems, wrong(key(name), "%s: %w; create it or remove it from [files]", name, missing(found)))
			continue
		}
		if err := checkUserPath(found.Real); err != nil {
			problems = append(problems, wrong(key(name), "%s leads to %s: %w", name, found.Real, err))
			continue
		}
		v.user[found.Real] = v.user[found.Real].or(all[name])
		v.links = append(v.links, found.Links...)
	}
	return errors.Join(problems...)
}

// missing says why there is nothing at a path, which the message has named.
func missing(found host.Path) error {
	if found.Err == nil {
		return fs.ErrNotExist
	}
	if reason := errors.Unwrap(found.Err); reason != nil {
		return reason
	}
	return found.Err
}

// addScript makes the script readable, if there is such a file: what is missing
// Python names itself, in the words that its users know. A descriptor or device
// (/dev/stdin, /proc/self/fd/0) is the sandbox's own.
func (v *view) addScript(p *Plan, h *Host) error {
	found := h.Paths[p.Command.Script]
	if !p.showsScript(found) {
		return nil
	}
	if err := checkUserPath(found.Real); err != nil {
		return fmt.Errorf("the script %s: %w", p.Command.Script, err)
	}
	v.links = append(v.links, found.Links...)
	if !belowAny(found.Real, slices.Collect(maps.Keys(v.user))) {
		v.user[found.Real] = access{}
	}
	return nil
}

func (p *Plan) showsScript(found host.Path) bool {
	return found.Real != "" && !found.Dir && !isKernels(p.Command.Script)
}

func (v *view) addClosure(c host.Closure) {
	for _, b := range c.Binds {
		v.tree.Binds = append(v.tree.Binds, namespaces.Bind{
			Source: b.Path, Target: b.Path, Flags: access{exec: b.Exec}.flags(),
		})
	}
	v.addLinks(c.Links)
}

func (v *view) addLinks(links []host.Link) {
	for _, l := range links {
		v.tree.Links = append(v.tree.Links, namespaces.Link{Path: l.Path, Text: l.Target})
	}
}

// closurePaths lists what closures permit to read. Of a directory that is bound
// as a whole for the sake of some files, these are the files.
func closurePaths(closures []host.Closure) []string {
	var names []string
	for _, c := range closures {
		for _, b := range c.Binds {
			names = append(names, bindPaths(b)...)
		}
	}
	return names
}

func bindPaths(b host.Bind) []string {
	if len(b.Only) == 0 {
		return []string{b.Path}
	}
	names := make([]string, 0, len(b.Only))
	for _, name := range b.Only {
		names = append(names, path.Join(b.Path, name))
	}
	return names
}

// checkWritable refuses writable paths from which the program could reach what
// will run or decide outside of the sandbox. A read-only mount below a writable
// directory is no help there: outside it is no mount.
func (v *view) checkWritable(p *Plan, h *Host) error {
	protected := slices.Clone(h.Protected)
	for _, b := range h.Interpreter.Binds {
		protected = append(protected, Protected{b.Path, "the interpreter"})
	}
	for _, b := range h.Spawn.Binds {
		protected = append(protected, Protected{b.Path, "a program that may be started"})
	}
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(v.user)) {
		if !v.user[name].write {
			continue
		}
		key := p.fileKey(func(n string) bool { return h.Paths[n].Real == name })
		if i := slices.IndexFunc(protected, func(q Protected) bool {
			return isSameOrBelow(q.Path, name) || isSameOrBelow(name, q.Path)
		}); i >= 0 {
			problems = append(problems, wrong(key, "through %s the program could change %s (%s); name a directory apart from it", name, protected[i].What, protected[i].Path))
		}
		if h.Facts.Root && v.owner(h, name) == 0 && !p.Files.AllowRootOwned {
			problems = append(problems, wrong(key, "%s belongs to root, as whom this sandbox is started; give it to another user (chown), or set files.allow_root_owned = true", name))
		}
	}
	return errors.Join(problems...)
}

func (v *view) owner(h *Host, real string) uint32 {
	for _, found := range h.Paths {
		if found.Real == real {
			return found.Owner
		}
	}
	return 0
}

// directory returns where the program starts: where the policy says; where the
// caller is if that is visible, or if something that the operator named lies
// below it, so that a relative path means the same inside; otherwise home.
func (v *view) directory(p *Plan, h *Host) (string, error) {
	if p.Process.Directory == "" {
		found := h.Paths[p.Invocation.Directory]
		if found.Dir && (v.isVisible(found.Real) || p.namesBelow(found.Real, h)) {
			return found.Real, nil
		}
		return home, nil
	}
	if slices.Contains([]string{"/", "/tmp", "/dev/shm", home}, p.Process.Directory) {
		return p.Process.Directory, nil
	}
	found := h.Paths[p.Process.Directory]
	switch {
	case found.Real == "":
		return "", wrong("process.cwd", "%s: %w", p.Process.Directory, missing(found))
	case !found.Dir:
		return "", wrong("process.cwd", "%s is not a directory", p.Process.Directory)
	case !v.isVisible(found.Real):
		return "", wrong("process.cwd", "%s is not visible inside; allow it with files.read or --allow-read=%s", p.Process.Directory, p.Process.Directory)
	}
	return found.Real, nil
}

func (v *view) isVisible(real string) bool {
	return slices.ContainsFunc(v.tree.Binds, func(b namespaces.Bind) bool { return isSameOrBelow(real, b.Target) })
}

// namesBelow is whether [files] names something below dir; the script does not
// count. The tree then has dir, with nothing else in it.
func (p *Plan) namesBelow(dir string, h *Host) bool {
	if dir == "/" {
		return false
	}
	for name := range p.paths() {
		if isSameOrBelow(h.Paths[name].Real, dir) {
			return true
		}
	}
	return false
}

// landlock returns the rules of the whole tree under real names.
func (v *view) landlock(p *Plan) namespaces.Landlock {
	named := p.paths()
	var l namespaces.Landlock
	for _, rule := range p.Landlock.Paths {
		if _, user := named[rule.Path]; !user && rule.Path != p.Command.Script {
			l.Paths = append(l.Paths, rule)
		}
	}
	for name, have := range v.user {
		l.Paths = append(l.Paths, namespaces.LandlockPath{Path: name, Rights: have.rights()})
	}
	for i, c := range v.closures {
		for _, b := range c.Binds {
			l.Paths = append(l.Paths, closureRules(b, i == 0)...)
		}
	}
	return l
}

// closureRules are the rules for one bind of a closure. A directory of the
// system's libraries is readable as a whole: every user of the host may read it,
// and one rule for each library would double the time that a start takes.
// Landlock's right to execute is that to call execve(2), which a library does
// not need in order to be mapped.
func closureRules(b host.Bind, interpreter bool) []namespaces.LandlockPath {
	if len(b.Only) == 0 {
		executed := b.Exec && (!interpreter || isExecuted(b.Path))
		return []namespaces.LandlockPath{{Path: b.Path, Rights: access{exec: executed}.rights()}}
	}
	rules := []namespaces.LandlockPath{{Path: b.Path, Rights: access{}.rights()}}
	for _, below := range b.Only { // hundreds in a closure with much installed
		if name := b.Path + "/" + below; isExecuted(name) {
			rules = append(rules, namespaces.LandlockPath{Path: name, Rights: access{exec: b.Exec}.rights()})
		}
	}
	return rules
}

// isExecuted tells programs and the dynamic loader, which execve(2) opens for
// them, from what is only mapped.
func isExecuted(name string) bool {
	dir, file := path.Split(name)
	return strings.HasSuffix(dir, "/bin/") || strings.HasPrefix(file, "ld-")
}
