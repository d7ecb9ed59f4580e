package host

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// loader finds libraries as ld.so(8) would, without running it: it reads ELF
// files and the loader's cache.
type loader struct {
	tree    *tree
	cache   map[string][]string
	objects map[string]*object // by path without symlinks; nil is not ELF
	musl    bool               // the C library is musl: no cache, other defaults
}

func newLoader(t *tree) loader {
	return loader{tree: t, cache: readLoaderCache(t), objects: make(map[string]*object)}
}

// object reads the ELF file at a path without symlinks; nil if it is none.
func (l *loader) object(path string) *object {
	known, ok := l.objects[path]
	if !ok {
		known, _ = readObject(path)
		l.objects[path] = known
	}
	return known
}

// requester is an ELF file that needs libraries.
type requester struct {
	origin string // the directory that $ORIGIN stands for
	*object
}

// library is a file that the loader may open. Its origin is the directory of the name
// under which that happens: where the name is a symlink, such as an alternative of
// Debian's, the file itself lies elsewhere.
type library struct {
	place
	origin string // without symlinks
}

// find returns every file that may be loaded as name: one, or one for each kind
// of processor. inherited is the DT_RPATH of what loaded the requester.
func (l *loader) find(name string, by requester, inherited []string) []library {
	if strings.Contains(name, "/") {
		return l.existing(expandOrigin(name, by.origin))
	}
	var dirs []string
	if by.runpath == nil {
		dirs = append(expandAll(by.rpath, by.origin), inherited...)
	}
	dirs = append(dirs, expandAll(by.runpath, by.origin)...)
	if found := l.findIn(dirs, name); found != nil {
		return found
	}
	if found := l.existing(l.cache[name]...); found != nil && !l.musl {
		return found
	}
	return l.findIn(l.defaultDirs(), name)
}

// findIn looks in the first directory that has the name, and in its
// subdirectories for kinds of processors (glibc-hwcaps, ld.so(8)).
func (l *loader) findIn(dirs []string, name string) []library {
	for _, dir := range dirs {
		if !filepath.IsAbs(dir) {
			continue // relative to a working directory that nobody knows
		}
		paths := []string{filepath.Join(dir, name)}
		for _, kind := range processorKinds() {
			paths = append(paths, filepath.Join(dir, "glibc-hwcaps", kind, name))
		}
		if found := l.existing(paths...); found != nil {
			return found
		}
	}
	return nil
}

// existing resolves those of the paths that are ELF files of this machine.
func (l *loader) existing(paths ...string) []library {
	var found []library
	for _, path := range paths {
		at, err := l.tree.walk(path)
		if err != nil || !at.isFile() || l.object(at.path) == nil {
			continue
		}
		if dir, err := l.tree.walk(filepath.Dir(path)); err == nil {
			found = append(found, library{place: at, origin: dir.path})
		}
	}
	return found
}

func processorKinds() []string {
	if runtime.GOARCH == "amd64" {
		return []string{"x86-64-v4", "x86-64-v3", "x86-64-v2"}
	}
	return nil
}

// defaultDirs are the directories that a loader searches last. Those of another
// distribution do not exist, and the files of another machine are not loaded.
func (l *loader) defaultDirs() []string {
	if l.musl {
		return muslDirs()
	}
	multiarch := map[string]string{
		"amd64":   "x86_64-linux-gnu",
		"arm64":   "aarch64-linux-gnu",
		"riscv64": "riscv64-linux-gnu",
	}[runtime.GOARCH]
	return []string{"/lib/" + multiarch, "/usr/lib/" + multiarch, "/lib64", "/usr/lib64", "/lib", "/usr/lib"}
}

// muslPathFile lists the directories that musl's loader searches.
func muslPathFile() string {
	machine := map[string]string{"amd64": "x86_64", "arm64": "aarch64", "riscv64": "riscv64"}[runtime.GOARCH]
	return "/etc/ld-musl-" + machine + ".path"
}

func muslDirs() []string {
	text, err := os.ReadFile(muslPathFile())
	if err != nil {
		return []string{"/lib", "/usr/local/lib", "/usr/lib"}
	}
	return strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' || r == ':' })
}

func expandAll(paths []string, origin string) []string {
	expanded := make([]string, 0, len(paths))
	for _, path := range paths {
		expanded = append(expanded, expandOrigin(path, origin))
	}
	return expanded
}

// expandOrigin replaces the tokens of ld.so(8) that CPython's builds use.
func expandOrigin(path, origin string) string {
	if !strings.Contains(path, "$") {
		return path
	}
	return strings.NewReplacer(
		"$ORIGIN", origin, "${ORIGIN}", origin,
		"$LIB", "lib64", "${LIB}", "lib64",
	).Replace(path)
}
