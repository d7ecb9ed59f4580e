package host

import (
	"fmt"
	"path/filepath"
)

// buildInterpreter finds the closure of an interpreter.
func buildInterpreter(t *tree, s selection, caller Caller) (Interpreter, error) {
	b := newBuilder(caller, t)
	p := pythonBuilder{builder: b, selection: s}
	if err := p.build(); err != nil {
		return Interpreter{}, fmt.Errorf("find what %s needs: %w", s.executable, err)
	}
	python := Interpreter{
		Executable: s.executable,
		Version:    s.layout.version,
		Prefix:     s.layout.prefix,
		Closure:    b.closure(),
	}
	if s.venv != nil {
		python.Venv = s.venv.dir
	}
	return python, nil
}

// pythonBuilder adds the parts of a CPython to a closure.
type pythonBuilder struct {
	*builder
	selection
}

func (p *pythonBuilder) build() error {
	if err := p.claim(); err != nil {
		return err
	}
	if err := p.executables(); err != nil {
		return err
	}
	if _, err := p.add(p.layout.stdlib, true); err != nil {
		return err
	}
	p.offer(true, p.zip())
	var rpath []string
	if o := p.loader.object(p.layout.executable); o != nil {
		rpath = expandAll(o.rpath, p.layout.executable)
	}
	if err := p.extensions(filepath.Join(p.layout.stdlib, "lib-dynload"), rpath); err != nil && p.tree.isDir(filepath.Join(p.layout.stdlib, "lib-dynload")) {
		return err
	}
	for _, dir := range p.siteDirs() {
		found, err := p.tree.walk(dir)
		if err != nil || !found.isDir() || p.permit(found) != nil {
			continue
		}
		p.commit(found, true)
		if err := p.extensions(found.path, rpath); err != nil {
			return err
		}
	}
	p.runtime()
	p.data()
	return nil
}

// claim names the directories that may be shown although they are not open to
// every user: those that belong to this interpreter and to nothing else.
func (p *pythonBuilder) claim() error {
	p.own = []string{p.layout.executable, p.layout.stdlib}
	if !isSharedPrefix(p.layout.prefix, p.caller) {
		p.own = append(p.own, filepath.Join(p.layout.prefix, "lib"), filepath.Join(p.layout.prefix, "lib64"),
			filepath.Join(p.layout.prefix, "bin"))
	}
	if p.venv == nil {
		return nil
	}
	found, err := p.tree.walk(p.venv.dir)
	if err != nil {
		return err
	}
	for _, name := range []string{"lib", "lib64", "bin", "pyvenv.cfg"} {
		p.own = append(p.own, filepath.Join(found.path, name))
	}
	return nil
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
	if err := p.program(p.layout.executable); err != nil {
		return err
	}
	dirs := []string{filepath.Dir(p.executable), filepath.Dir(p.layout.executable)}
	if p.venv != nil {
		dirs = append(dirs, p.venv.home)
		p.offer(false, filepath.Join(p.venv.dir, "pyvenv.cfg"), filepath.Join(filepath.Dir(p.executable), "pyvenv.cfg"))
	}
	if err := p.program(p.executable); err != nil {
		return err
	}
	for _, dir := range dirs {
		for _, name := range []string{"python", "python3", "python" + p.layout.version, p.layout.name} {
			path := filepath.Join(dir, name)
			found, err := p.tree.walk(path)
			if err == nil && (found.path == p.layout.executable || p.venv != nil && within(found.path, p.venv.dir)) {
				p.offer(true, path)
			}
		}
	}
	return nil
}

func (p *pythonBuilder) zip() string {
	return filepath.Join(p.layout.prefix, "lib", "python3"+p.layout.version[2:]+".zip")
}

// siteDirs lists where packages may lie. The packages of the base are left out
// when a virtual environment does not use them.
func (p *pythonBuilder) siteDirs() []string {
	var dirs []string
	for _, lib := range []string{"lib", "lib64"} {
		if p.venv != nil {
			dirs = append(dirs, filepath.Join(p.venv.dir, lib))
		}
	}
	if p.venv != nil && !p.venv.system {
		return dirs
	}
	prefixes := []string{p.layout.prefix}
	if p.layout.prefix == "/usr" {
		// Debian and Fedora keep what the administrator installs below /usr/local.
		prefixes = append(prefixes, "/usr/local")
	}
	for _, prefix := range prefixes {
		for _, lib := range []string{"lib", "lib64"} {
			for _, name := range []string{"site-packages", "dist-packages"} {
				dirs = append(dirs, filepath.Join(prefix, lib, p.layout.name, name))
			}
		}
	}
	return append(dirs, filepath.Join(p.layout.prefix, "lib", "python3", "dist-packages"))
}
