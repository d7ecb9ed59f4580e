package host

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ModuleFile is a file or directory from which a module could be imported.
type ModuleFile struct {
	Path   string // absolute, below a bind of the interpreter
	Module string // top-level name of the module, or empty for what is none
	Dir    bool
}

// moduleRoots returns the directories of an interpreter's closure that are on its
// sys.path: the standard library, its extension modules and the packages.
func (i Interpreter) moduleRoots() []string {
	var roots []string
	for _, bind := range i.Binds {
		base := filepath.Base(bind.Path)
		library := base == "python"+i.Version || base == "python"+i.Version+"t"
		if !library && base != "site-packages" && base != "dist-packages" || !isRealDir(bind.Path) {
			continue
		}
		roots = append(roots, bind.Path)
		for _, name := range []string{"lib-dynload", "site-packages"} {
			if below := filepath.Join(bind.Path, name); library && isRealDir(below) {
				roots = append(roots, below)
			}
		}
	}
	slices.Sort(roots)
	return slices.Compact(roots)
}

func isRealDir(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.IsDir()
}

// ListModules lists what lies in the roots, compiled files too. Symlinks are left
// out: a bind of one would show what it leads to.
func (i Interpreter) ListModules() ([]ModuleFile, error) {
	roots := i.moduleRoots()
	var files []ModuleFile
	for _, root := range roots {
		for _, dir := range []string{root, filepath.Join(root, "__pycache__")} {
			entries, err := os.ReadDir(dir)
			if err != nil && dir == root {
				return nil, err
			}
			for _, entry := range entries {
				path := filepath.Join(dir, entry.Name())
				if entry.Name() == "__pycache__" || slices.Contains(roots, path) || !entry.IsDir() && !entry.Type().IsRegular() {
					continue
				}
				files = append(files, ModuleFile{path, moduleName(entry.Name()), entry.IsDir()})
			}
		}
	}
	return files, nil
}

// moduleName is the name under which a file or directory is imported. Metadata
// and libraries of a package (numpy-1.24.dist-info, numpy.libs) have its name.
func moduleName(name string) string {
	name, _, _ = strings.Cut(name, ".")
	name, _, _ = strings.Cut(name, "-")
	return name
}

// FindModules returns the files of the named modules ("ctypes", "urllib.request",
// or "urllib.*" for all below urllib).
func (i Interpreter) FindModules(names []string) []ModuleFile {
	seen := make(listings)
	var found []ModuleFile
	for _, root := range i.moduleRoots() {
		for _, name := range names {
			found = append(found, seen.find(root, name)...)
		}
	}
	slices.SortFunc(found, func(a, b ModuleFile) int { return strings.Compare(a.Path, b.Path) })
	return slices.Compact(found)
}

// Neighbour is what lies in a directory beside a module.
type Neighbour struct {
	Name string
	Dir  bool
	Link string // what a symlink says, empty for anything else
}

// Neighbours lists every directory from those of the closure down to the ones that
// hold the files, by path, so that all but the files can be shown.
func (i Interpreter) Neighbours(files []ModuleFile) map[string][]Neighbour {
	seen := make(listings)
	around := make(map[string][]Neighbour)
	for _, file := range files {
		for _, bind := range i.Binds {
			for dir := filepath.Dir(file.Path); dir == bind.Path || strings.HasPrefix(dir, bind.Path+"/"); dir = filepath.Dir(dir) {
				if around[dir] == nil {
					around[dir] = neighbours(dir, seen.of(dir))
				}
			}
		}
	}
	return around
}

func neighbours(dir string, entries []os.DirEntry) []Neighbour {
	found := make([]Neighbour, 0, len(entries))
	for _, entry := range entries {
		n := Neighbour{Name: entry.Name(), Dir: entry.IsDir()}
		switch {
		case entry.Type()&os.ModeSymlink != 0:
			var err error
			if n.Link, err = os.Readlink(filepath.Join(dir, n.Name)); err != nil {
				continue // it has gone
			}
		case !entry.IsDir() && !entry.Type().IsRegular():
			continue // a socket or a device is nothing to import
		}
		found = append(found, n)
	}
	slices.SortFunc(found, func(a, b Neighbour) int { return strings.Compare(a.Name, b.Name) })
	return found
}

// listings are what directories have been found to hold, each of which is read
// once, however many modules are looked for in it.
type listings map[string][]os.DirEntry

func (l listings) of(dir string) []os.DirEntry {
	entries, known := l[dir]
	if !known {
		if opened, err := os.Open(dir); err == nil {
			entries, _ = opened.ReadDir(-1) // what cannot be listed cannot be imported from
			_ = opened.Close()
		}
		l[dir] = entries
	}
	return entries
}

func (l listings) find(root, name string) []ModuleFile {
	top, _, _ := strings.Cut(name, ".")
	parts := strings.Split(name, ".")
	dir := filepath.Join(append([]string{root}, parts[:len(parts)-1]...)...)
	last := parts[len(parts)-1]
	var found []ModuleFile
	for _, place := range []string{dir, filepath.Join(dir, "__pycache__")} {
		for _, entry := range l.of(place) {
			own := moduleName(entry.Name())
			if own != last && (last != "*" || own == "__init__" || entry.Name() == "__pycache__") {
				continue
			}
			if entry.IsDir() || entry.Type().IsRegular() {
				found = append(found, ModuleFile{filepath.Join(place, entry.Name()), top, entry.IsDir()})
			}
		}
	}
	return found
}
