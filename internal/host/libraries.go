package host

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// program makes an ELF program visible, with its loader and every library that
// the loader will look for.
func (b *builder) program(path string) error {
	found, err := b.need(path)
	if err != nil {
		return err
	}
	o := b.loader.object(found.path)
	if o == nil {
		return fmt.Errorf("start %s: %w", found.path, errNoProgramOfThisMachine)
	}
	if o.interpreter != "" {
		if !b.offerLoader(o) {
			return fmt.Errorf("%s needs the loader %s, which is no file of the system", found.path, o.interpreter)
		}
		b.loader.musl = strings.HasPrefix(filepath.Base(o.interpreter), "ld-musl-")
	}
	if missing := b.libraries(found.path, filepath.Dir(found.path), nil); len(missing) > 0 {
		return fmt.Errorf("%s needs %s", found.path, strings.Join(missing, ", and "))
	}
	return nil
}

// offerLoader makes the loader of a program visible. Its path comes from the
// program, so it must lead to an ELF file.
func (b *builder) offerLoader(o *object) bool {
	for _, at := range b.loader.existing(o.interpreter) {
		if b.permit(at.place) == nil {
			b.commit(at.place, true)
			return true
		}
	}
	return false
}

// libraries makes visible what the ELF file at a path without symlinks needs,
// directly and through others, and returns what is missing, each name with the
// reason. origin is that of the name under which the file is loaded, inherited the
// DT_RPATH of what loads it.
func (b *builder) libraries(path, origin string, inherited []string) []string {
	o := b.loader.object(path)
	if o == nil {
		return nil
	}
	by := requester{origin: origin, object: o}
	key := path + "\x00" + origin + "\x00" + strings.Join(inherited, ":")
	if b.loaded[key] {
		return nil
	}
	b.loaded[key] = true
	passed := inherited
	if len(o.rpath) > 0 {
		passed = append(expandAll(o.rpath, origin), inherited...)
	}
	var missing []string
	for _, name := range o.needed {
		reason, visible := "which no directory of the loader has", false
		for _, at := range b.loader.find(name, by, inherited) {
			if err := b.permit(at.place); err != nil {
				reason = "but " + err.Error()
				continue
			}
			b.commit(at.place, true)
			missing = append(missing, b.libraries(at.path, at.origin, passed)...)
			visible = true
		}
		if !visible {
			missing = append(missing, name+", "+reason)
		}
	}
	return missing
}

// byName makes libraries visible that are loaded by name at run time, where the
// host has them.
func (b *builder) byName(path string, names ...string) {
	by := requester{origin: filepath.Dir(path), object: &object{}}
	for _, name := range names {
		for _, at := range b.loader.find(name, by, nil) {
			if b.permit(at.place) == nil {
				b.commit(at.place, true)
				b.libraries(at.path, at.origin, nil)
			}
		}
	}
}

// maxFiles bounds the walk through one tree of packages.
const maxFiles = 1 << 20

// extensions makes visible what the extension modules and private libraries
// below a directory need, and what symlinks in it name outside. What cannot be
// found is left out: that module does not load on the host either.
func (b *builder) extensions(dir string, inherited []string) error {
	files := 0
	b.tree.watch(dir)
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if files++; files > maxFiles {
			return fmt.Errorf("%s has more than %d files", dir, maxFiles)
		}
		switch {
		case err != nil && path == dir:
			return err
		case err != nil: // a directory that the caller may not read
			return fs.SkipDir
		case entry.IsDir() && path != dir && holdsNoExtensions(entry.Name()):
			return fs.SkipDir
		case entry.Type() == os.ModeSymlink:
			b.outward(path)
		case entry.Type().IsRegular() && isLibraryName(entry.Name()):
			b.libraries(path, filepath.Dir(path), inherited)
		}
		return nil
	})
}

// holdsNoExtensions says whether a directory need not be walked: it has no
// libraries, or is a tree of packages of its own.
func holdsNoExtensions(name string) bool {
	return name == "__pycache__" || slices.Contains(packageDirNames(), name)
}

// isLibraryName says whether a name is that of a shared library: "x.so" or
// "x.so.1.2".
func isLibraryName(name string) bool {
	return strings.HasSuffix(name, ".so") || strings.Contains(name, ".so.")
}

// outward follows a symlink among the system's packages to what it names outside
// of them, such as their settings in /etc. Links in other trees are not followed:
// whoever wrote them would choose what is shown.
func (b *builder) outward(path string) {
	if !isSystemDir(path) || b.tree.lstat(path).stat.Uid != systemOwner() {
		return
	}
	found, err := b.tree.walk(path)
	if err != nil || b.permit(found) != nil || found.stat.Uid != systemOwner() {
		return
	}
	const ownDepth = 3 // "/usr/share/NAME" is a package's own
	if found.isDir() && len(components(found.path)) < ownDepth {
		return
	}
	elf := found.isFile() && b.loader.object(found.path) != nil
	b.commit(found, elf)
	if elf {
		b.elf(found.path)
	}
}
