package plan

import (
	"path"
	"slices"
	"strings"

	"github.com/pysandbox/pysandbox/internal/host"
	"github.com/pysandbox/pysandbox/namespaces"
	"github.com/pysandbox/pysandbox/policy"
)

// Modules are what a host has of the modules that a policy names.
type Modules struct {
	Files  []host.ModuleFile // all that can be imported, for python.modules.allow
	Denied []host.ModuleFile // those of python.modules.deny
	Needed []string          // what the allowed modules and CPython itself import

	// Around is what lies in the directories of the denied files and above, by path.
	Around map[string][]host.Neighbour
}

// ModuleRule is one rule on imports and who enforces it. A rule with the key
// "needed" is no rule of the policy's: the module is there for those that are allowed,
// and the interpreter keeps the program itself from importing it.
type ModuleRule struct {
	Key, Pattern string
	Kernel       bool // the files of what it refuses are not there
}

// DeniedModules are the names whose files are hidden: what the policy denies, and
// the accelerator in C that a denied module has ("_ctypes" of "ctypes").
func (p *Plan) DeniedModules() []string {
	var names []string
	for _, name := range p.Python.ModulesDeny {
		names = append(names, name)
		if !strings.Contains(name, ".") {
			names = append(names, "_"+name)
		}
	}
	return names
}

// covers says whether a rule is about a top-level module as a whole.
func covers(patterns []string, module string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		top, _, _ := strings.Cut(pattern, ".")
		return top == module
	})
}

// hideModules takes the files of refused modules out of the tree. Of a directory
// with a denied one in it, everything else is shown piece by piece (some 30 µs for
// each); with a list of allowed ones, only their files and those of what they need
// are shown. What CPython cannot start without stays.
func (v *view) hideModules(p *Plan, h *Host) {
	if len(p.Python.ModulesAllow) > 0 {
		v.showOnly(p.Python, h)
	}
	hidden := make(map[string]bool)
	for _, file := range h.Modules.Denied {
		if !slices.Contains(startNames(), file.Module) {
			hidden[file.Path] = true
		}
	}
	if len(hidden) == 0 {
		return
	}
	var kept []namespaces.Bind
	for _, bind := range v.tree.Binds {
		kept = append(kept, v.without(bind, hidden, h.Modules.Around)...)
	}
	v.tree.Binds = kept
	v.coverShown(h.Modules.Denied, hidden)
}

// coverShown covers by something empty what is hidden and yet shown, by a path of
// the operator's that lies above. Nothing is shown at or below a covered place,
// whoever allowed it, and nothing in it needs a cover of its own.
func (v *view) coverShown(files []host.ModuleFile, hidden map[string]bool) {
	var covered []string
	shown := slices.Clone(v.tree.Binds)
	for _, file := range outermostFirst(files) {
		above := slices.ContainsFunc(shown, func(b namespaces.Bind) bool { return isSameOrBelow(file.Path, b.Target) })
		if !hidden[file.Path] || !above || belowAny(file.Path, covered) {
			continue
		}
		covered = append(covered, file.Path)
		v.tree.Binds = slices.DeleteFunc(v.tree.Binds, func(b namespaces.Bind) bool { return isSameOrBelow(b.Target, file.Path) })
		if file.Dir {
			v.tree.Tmpfs = append(v.tree.Tmpfs, emptyDirectory(file.Path))
			continue
		}
		v.tree.Binds = append(v.tree.Binds, namespaces.Bind{
			Source: "/dev/null", Target: file.Path, Flags: namespaces.FlagReadOnly | namespaces.FlagNoExec,
		})
	}
}

// outermostFirst sorts a directory before what lies in it.
func outermostFirst(files []host.ModuleFile) []host.ModuleFile {
	sorted := slices.Clone(files)
	slices.SortFunc(sorted, func(a, b host.ModuleFile) int { return strings.Compare(a.Path, b.Path) })
	return sorted
}

// without returns the binds of what bind shows and is not hidden. A directory that
// was not listed holds nothing hidden.
func (v *view) without(bind namespaces.Bind, hidden map[string]bool, around map[string][]host.Neighbour) []namespaces.Bind {
	entries, splits := around[bind.Source]
	switch {
	case hidden[bind.Source]:
		return nil
	case !splits:
		return []namespaces.Bind{bind}
	}
	var kept []namespaces.Bind
	for _, entry := range entries {
		below := namespaces.Bind{
			Source: path.Join(bind.Source, entry.Name), Target: path.Join(bind.Target, entry.Name), Flags: bind.Flags,
		}
		if entry.Link != "" {
			v.tree.Links = append(v.tree.Links, namespaces.Link{Path: below.Target, Text: entry.Link})
			continue
		}
		kept = append(kept, v.without(below, hidden, around)...)
	}
	return kept
}

func emptyDirectory(name string) namespaces.Tmpfs {
	return namespaces.Tmpfs{
		Path: name, Bytes: 4096, Inodes: 2, Mode: 0o555, Flags: namespaces.FlagReadOnly | namespaces.FlagNoExec,
	}
}

// showOnly replaces the binds of the interpreter's module directories by binds of
// what is allowed in them.
func (v *view) showOnly(python policy.Python, h *Host) {
	var kept []namespaces.Bind
	replaced := make(map[string]uint16)
	for _, bind := range v.tree.Binds {
		if isModuleRoot(bind.Target, h.Modules.Files) {
			replaced[bind.Target] = bind.Flags
			continue
		}
		kept = append(kept, bind)
	}
	for _, file := range h.Modules.Files {
		if !covers(python.ModulesAllow, file.Module) && !slices.Contains(h.Modules.Needed, file.Module) {
			continue
		}
		for root, flags := range replaced {
			if isSameOrBelow(file.Path, root) {
				kept = append(kept, namespaces.Bind{Source: file.Path, Target: file.Path, Flags: flags})
				break
			}
		}
	}
	for _, file := range h.Modules.Files {
		// Without this directory CPython believes that it is not installed.
		if dir := path.Dir(file.Path); path.Base(dir) == "lib-dynload" && replaced[path.Dir(dir)] != 0 {
			replaced[dir] = replaced[path.Dir(dir)]
		}
	}
	for root := range replaced {
		if !slices.ContainsFunc(kept, func(b namespaces.Bind) bool { return isSameOrBelow(b.Target, root) }) {
			v.tree.Tmpfs = append(v.tree.Tmpfs, emptyDirectory(root)) // Landlock names it
		}
	}
	v.tree.Binds = kept
}

// isModuleRoot says whether modules lie directly in a directory.
func isModuleRoot(name string, files []host.ModuleFile) bool {
	return slices.ContainsFunc(files, func(f host.ModuleFile) bool { return path.Dir(f.Path) == name })
}

// startNames are modules that no rule can hide: without them CPython does not
// start, so that only the interpreter refuses them.
func startNames() []string {
	return []string{
		"encodings", "codecs", "io", "abc", "site", "os", "stat", "posixpath", "genericpath", "_collections_abc",
		"_sitebuiltins", "__future__", "importlib", "zipimport", "struct", "_struct", "runpy", "pkgutil",
	}
}

// ModuleRules says for each rule on imports who enforces it. The kernel does
// where the files of the refused modules are not there; modules that are built
// into the interpreter have no files.
func (r *Resolved) ModuleRules() []ModuleRule {
	var rules []ModuleRule
	python := r.Plan.Python
	for _, pattern := range python.ModulesAllow {
		// Below an allowed package, only the interpreter tells modules apart.
		rules = append(rules, ModuleRule{"allow", pattern, !strings.Contains(pattern, ".")})
	}
	for _, pattern := range python.ModulesDeny {
		rules = append(rules, ModuleRule{"deny", pattern, slices.Contains(r.hidden, pattern)})
	}
	for _, module := range r.needed {
		rules = append(rules, ModuleRule{"needed", module, false})
	}
	return rules
}

// neededModules are the top-level modules that have files on this host, which are
// shown, and that the policy names in no way.
func neededModules(p *Plan, h *Host) []string {
	var needed []string
	for _, module := range h.Modules.Needed {
		named := covers(p.Python.ModulesAllow, module) || covers(p.DeniedModules(), module)
		if !named && slices.ContainsFunc(h.Modules.Files, func(f host.ModuleFile) bool { return f.Module == module }) {
			needed = append(needed, module)
		}
	}
	return needed
}

// hiddenPatterns are the patterns of python.modules.deny whose modules have files
// on this host that are hidden.
func hiddenPatterns(p *Plan, h *Host) []string {
	var hidden []string
	for _, pattern := range p.Python.ModulesDeny {
		module := strings.TrimSuffix(pattern, ".*")
		if slices.Contains(startNames(), module) {
			continue
		}
		file := "/" + strings.ReplaceAll(module, ".", "/")
		if slices.ContainsFunc(h.Modules.Denied, func(f host.ModuleFile) bool {
			return strings.Contains(f.Path+"/", file+"/") || strings.Contains(f.Path, file+".")
		}) {
			hidden = append(hidden, pattern)
		}
	}
	return hidden
}
