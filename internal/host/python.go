package host

import (
	"fmt"
	"path/filepath"
	"slices"
)

// buildInterpreter finds the closure of an interpreter, and the files and
// directories that belong to it alone.
func buildInterpreter(t *tree, s selection, caller Caller) (Interpreter, []string, error) {
	p := pythonBuilder{builder: newBuilder(caller, t), selection: s}
	if err := p.build(); err != nil {
		return Interpreter{}, nil, fmt.Errorf("find what %s needs: %w", s.executable, err)
	}
	python := s.interpreter()
	python.Magic, python.Closure = s.layout.magic(t), p.closure()
	return python, p.own, nil
}

// pythonBuilder adds the parts of a CPython to a closure.
type pythonBuilder struct {
	*builder
	selection
	unclaimed bool // what is not public stays hidden, but the caller's own interpreter
}

func (p *pythonBuilder) build() error {
	p.claimOwn()
	if p.unclaimed && p.venv != nil {
		if _, err := p.need(p.venv.config); err != nil {
			return err // without it the program would run, outside of its environment
		}
	}
	if err := p.executables(); err != nil {
		return err
	}
	if _, err := p.need(p.layout.stdlib); err != nil {
		return err
	}
	p.offer(true, p.layout.zip())
	rpath := p.inheritedPath()
	if err := p.extensions(p.layout.stdlib, rpath); err != nil {
		return err
	}
	for _, dir := range p.packageDirs() {
		found, err := p.tree.walk(dir)
		// A symlink here may only lead to another directory of packages.
		if err != nil || !found.isDir() || !slices.Contains(packageDirNames(), filepath.Base(found.path)) || p.permit(found) != nil {
			continue
		}
		p.commit(found, true)
		if err := p.extensions(found.path, rpath); err != nil {
			return err
		}
	}
	p.privateLibraries()
	p.certificates()
	p.runtime()
	p.data()
	return nil
}

// claimOwn claims what belongs to this interpreter and to nothing else. For a script
// that may not claim, that is so only of the interpreter which the caller's python3
// is: the script could have named another's, or a private environment of it.
func (p *pythonBuilder) claimOwn() {
	if p.unclaimed && !p.isCallers() {
		return
	}
	prefix := p.layout.prefix
	p.claim(prefix, p.layout.executable, p.layout.stdlib, p.layout.zip())
	if !isSharedPrefix(prefix, p.caller) {
		p.claim(prefix, filepath.Join(prefix, "lib"), filepath.Join(prefix, "lib64"), filepath.Join(prefix, "bin"))
	}
	if p.venv == nil || p.unclaimed {
		return
	}
	if found, err := p.tree.walk(p.venv.dir); err == nil {
		for _, name := range []string{"lib", "lib64", "bin", "pyvenv.cfg"} {
			p.claim(found.path, filepath.Join(found.path, name))
		}
	}
}

// isCallers says whether python3 on the caller's PATH leads to this interpreter.
func (p *pythonBuilder) isCallers() bool {
	for _, dir := range p.caller.searchPath() {
		path, ok := throughShim(p.tree, filepath.Join(dir, "python3"), p.caller)
		if !ok {
			continue
		}
		if found, err := p.tree.walk(path); err == nil && found.isFile() {
			return found.path == p.layout.executable
		}
	}
	return false
}

// isSharedPrefix says whether other software lives below a prefix too.
func isSharedPrefix(prefix string, caller Caller) bool {
	switch prefix {
	case "/", "/usr", "/usr/local", "/opt", "/opt/local":
		return true
	}
	home := caller.Env["HOME"]
	return home != "" && (prefix == filepath.Clean(home) || prefix == filepath.Join(home, ".local"))
}

// executables adds the program and the other names by which it is known beside
// it: CPython looks through them for its prefix, and programs start them.
func (p *pythonBuilder) executables() error {
	for _, path := range []string{p.executable, p.layout.executable} {
		if err := p.program(path); err != nil {
			return err
		}
	}
	dirs := []string{filepath.Dir(p.executable), filepath.Dir(p.layout.executable)}
	if p.venv != nil {
		dirs = append(dirs, p.venv.home)
		p.offer(false, p.venv.config)
	}
	for _, dir := range dirs {
		for _, name := range []string{"python", "python3", "python" + p.layout.version, p.layout.name} {
			found, err := p.tree.walk(filepath.Join(dir, name))
			if err != nil {
				continue
			}
			if _, same := p.binds[found.path]; same {
				p.commit(found, true)
			}
		}
	}
	return nil
}

// inheritedPath is the DT_RPATH of the interpreter, where libraries of extension
// modules are looked for too.
func (p *pythonBuilder) inheritedPath() []string {
	if o := p.loader.object(p.layout.executable); o != nil {
		return expandAll(o.rpath, p.layout.executable)
	}
	return nil
}

// packageDirs lists where packages may lie. Those of the base are left out when
// a virtual environment does not use them.
func (p *pythonBuilder) packageDirs() []string {
	var dirs []string
	if p.venv != nil {
		for _, lib := range []string{"lib", "lib64"} {
			dirs = append(dirs, filepath.Join(p.venv.dir, lib, p.layout.name, "site-packages"))
		}
		if !p.venv.system {
			return dirs
		}
	}
	prefixes := []string{p.layout.prefix}
	if p.layout.prefix == "/usr" {
		// Debian and Fedora keep what the administrator installs below /usr/local.
		prefixes = append(prefixes, "/usr/local")
	}
	for _, prefix := range prefixes {
		for _, lib := range []string{"lib", "lib64"} {
			for _, name := range packageDirNames() {
				dirs = append(dirs, filepath.Join(prefix, lib, p.layout.name, name))
			}
		}
	}
	return append(dirs, filepath.Join(p.layout.prefix, "lib", "python3", "dist-packages"))
}

// packageDirNames are the directories below a standard library that hold what
// is installed later; Debian has its own.
func packageDirNames() []string { return []string{"site-packages", "dist-packages"} }

// fewLibraries is the number of private libraries up to which each is bound by
// itself.
const fewLibraries = 8

// privateLibraries binds a library directory of this interpreter or environment
// as a whole when it has libraries that load others by name, as conda's and
// those that wheels install beside site-packages (mkl).
func (p *pythonBuilder) privateLibraries() {
	if p.venv != nil {
		dir := filepath.Join(p.venv.dir, "lib")
		if slices.ContainsFunc(listDir(p.tree, dir), isLibraryName) {
			p.offer(true, dir)
		}
	}
	if isSharedPrefix(p.layout.prefix, p.caller) {
		return
	}
	dir := filepath.Join(p.layout.prefix, "lib")
	count := 0
	for path := range p.binds {
		if filepath.Dir(path) == dir && isLibraryName(path) {
			count++
		}
	}
	if count > fewLibraries {
		p.offer(true, dir)
	}
}
