package host

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// companions makes visible the directories that a program of the system keeps
// under its own name: helpers that it starts and data that it reads.
func (b *builder) companions(path string) {
	prefix := filepath.Dir(filepath.Dir(path))
	if bin := filepath.Base(filepath.Dir(path)); bin != "bin" && bin != "sbin" {
		return
	}
	for _, name := range companionNames(filepath.Base(path)) {
		dirs := []string{filepath.Join(prefix, "lib"), filepath.Join(prefix, "libexec")}
		for _, dir := range b.loader.defaultDirs() {
			if within(dir, prefix) {
				dirs = append(dirs, dir)
			}
		}
		for _, dir := range dirs {
			if helpers := filepath.Join(dir, name); b.tree.isDir(helpers) {
				b.offer(true, helpers)
				if found, err := b.tree.walk(helpers); err == nil && b.permit(found) == nil {
					// What cannot be walked stays without its libraries.
					_ = b.walkPrograms(found.path)
				}
			}
		}
		b.offer(false, filepath.Join(prefix, "share", name), filepath.Join("/etc", name))
	}
}

// companionNames lists the directories that belong to a program: those of its
// own name, and those that some widely used programs have.
func companionNames(program string) []string {
	names := []string{program}
	switch program {
	case "git":
		return append(names, "git-core", "gitconfig")
	case "perl":
		return append(names, "perl-base", "perl5")
	case "gcc", "cc", "g++", "c++", "cpp":
		return append(names, "gcc", "gcc-cross")
	default:
		return names
	}
}

// walkPrograms makes visible what the programs and libraries below a directory
// need.
func (b *builder) walkPrograms(dir string) error {
	files := 0
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if files++; files > maxFiles {
			return fmt.Errorf("%s has more than %d files; name the programs in it", dir, maxFiles)
		}
		switch {
		case err != nil && path == dir:
			return err
		case err != nil:
			return fs.SkipDir
		case entry.IsDir():
			b.tree.watch(path)
		case entry.Type() == os.ModeSymlink:
			b.outward(path)
		case entry.Type().IsRegular() && isProgram(entry):
			b.elf(path)
		}
		return nil
	})
}

func isProgram(entry fs.DirEntry) bool {
	if isLibraryName(entry.Name()) {
		return true
	}
	info, err := entry.Info()
	return err == nil && info.Mode()&0o111 != 0
}

// elf makes visible what an ELF file needs; other files need nothing.
func (b *builder) elf(path string) {
	o := b.loader.object(path)
	if o == nil {
		return
	}
	if o.interpreter != "" {
		b.offerLoader(o)
	}
	b.libraries(path, filepath.Dir(path), nil)
}
