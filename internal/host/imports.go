package host

import (
	"bytes"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// startModules are what CPython imports to start, to run a program and to print
// a traceback, and what the guest's bootstrap needs.
func startModules() []string {
	return []string{
		"encodings", "codecs", "io", "abc", "site", "os", "stat", "posixpath", "genericpath", "_collections_abc",
		"_sitebuiltins", "_bootlocale", "__future__", "runpy", "importlib", "importlib._bootstrap_external", "pkgutil",
		"warnings", "traceback", "linecache", "types", "struct", "_struct", "zipimport", "sitecustomize",
		"select", // of the bootstrap, to stop what the host does not wait for any more
		"typing", // of `class A[T]`, from CPython 3.12 on
	}
}

// hiddenImports are the modules that modules in C import, and those that a function
// of a start module imports which is much of what it is for.
func hiddenImports() map[string][]string {
	return map[string][]string{
		"encodings": codecModules(),
		"datetime":  {"_strptime", "time"},
		"time":      {"_strptime"},
		"decimal":   {"numbers"},
		"pickle":    {"copyreg", "_compat_pickle"},
		"traceback": {"unicodedata"},
		"linecache": {"tokenize"},
		"numpy":     {"secrets"},
		"orjson":    {"dataclasses", "datetime", "enum", "json", "uuid", "zoneinfo"},
	}
}

// codecModules are the modules that those below encodings import, of which any may be
// asked for by a name in text.
func codecModules() []string {
	return []string{
		"_codecs_cn", "_codecs_hk", "_codecs_iso2022", "_codecs_jp", "_codecs_kr", "_codecs_tw", "_multibytecodec",
		"base64", "binascii", "bz2", "codecs", "quopri", "stringprep", "zlib",
	}
}

// tools are modules that the library imports in functions which most programs never
// call: to help, to test and to debug, to read a command line, or to reach the
// machine past Python. They come with a module that is named, and with what imports
// them at once, but with nothing else: each would bring most of the library along.
func tools() []string {
	return []string{
		"argparse", "bdb", "cProfile", "code", "ctypes", "distutils", "doctest", "getopt", "idlelib", "lib2to3", "multiprocessing",
		"optparse", "pdb", "profile", "pydoc", "setuptools", "test", "tkinter", "turtle", "unittest", "webbrowser",
	}
}

// importLine matches `import a.b, c as d` and fromLine `from ..a.b import c, d`. They
// are compiled when they are used: most starts do not, and it takes 0.1 ms.
var (
	importLine = lazyRegexp(`^[ \t]*import[ \t]+([\w., \t]+)`)
	fromLine   = lazyRegexp(`^[ \t]*from[ \t]+(\.*)([\w.]*)[ \t]+import\b[ \t(]*([\w, \t]*)`)
)

func lazyRegexp(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}

// Bounds on what is searched: bytes of one source, whose imports mostly stand first,
// and names in all. A program that could write into an environment may have left
// anything in it.
const (
	maxSource = 2 << 20
	maxNames  = 100_000
)

// NeededModules returns the top-level names of the modules that the named ones
// import, at once or in a function, and so on, with all below them; and of what
// CPython itself needs. They are sorted. It reads the sources as text and runs
// nothing. See tools for what does not come along.
func (i Interpreter) NeededModules(names []string) []string {
	search := importSearch{seen: make(map[string]bool)}
	listed := make(listings)
	for _, dir := range i.moduleRoots() {
		names := modulesIn(listed.of(dir))
		search.roots = append(search.roots, moduleRoot{dir, names, helpersIn(names)})
	}
	search.queue = startModules()
	for _, name := range names {
		name = strings.TrimSuffix(name, ".*")
		search.named = append(search.named, name)
		search.queue = append(append(search.queue, name), search.below(name)...)
	}
	needed := make(map[string]bool)
	for len(search.queue) > 0 && len(search.seen) < maxNames {
		name := search.queue[0]
		search.queue = search.queue[1:]
		if search.seen[name] {
			continue
		}
		search.seen[name] = true
		if search.visit(name) {
			top, _, _ := strings.Cut(name, ".")
			needed[top] = true
		}
	}
	return slices.Sorted(maps.Keys(needed))
}

// importSearch follows import statements from module to module, by dotted names.
type importSearch struct {
	roots []moduleRoot
	named []string // by the policy
	queue []string
	seen  map[string]bool
}

// moduleRoot is a directory of modules and the names of those in it. The helpers
// among them come with each of the others.
type moduleRoot struct {
	dir     string
	names   map[string]bool
	helpers []string
}

func modulesIn(entries []os.DirEntry) map[string]bool {
	names := make(map[string]bool, len(entries))
	for _, entry := range entries {
		names[moduleName(entry.Name())] = true
		names[strings.TrimSuffix(entry.Name(), ".py")] = true // which may hold a hyphen
	}
	return names
}

// helpersIn are the modules that packages beside them import in C: what mypyc has made
// of their sources, under a name of its own, and the one of cffi.
func helpersIn(names map[string]bool) []string {
	var helpers []string
	for name := range names {
		if strings.HasSuffix(name, "__mypyc") || name == "_cffi_backend" {
			helpers = append(helpers, name)
		}
	}
	return helpers
}

// visit queues what a module imports. It is false for a name below a package that
// is none of its modules, as `from a import b` may name.
func (s *importSearch) visit(name string) bool {
	if above, below := cutLast(name); below {
		s.queue = append(s.queue, above)
	}
	s.queue = append(s.queue, hiddenImports()[name]...)
	if name == "sysconfig" {
		s.queue = append(s.queue, s.buildData()...)
	}
	top, _, _ := strings.Cut(name, ".")
	for _, root := range s.roots {
		if !root.names[top] {
			continue
		}
		s.queue = append(s.queue, root.helpers...)
		base := filepath.Join(root.dir, filepath.FromSlash(strings.ReplaceAll(name, ".", "/")))
		if source, err := ReadBeginning(base+".py", maxSource); err == nil {
			above, _ := cutLast(name)
			s.follow(name, source, above)
			return true
		}
		if source, err := ReadBeginning(filepath.Join(base, "__init__.py"), maxSource); err == nil {
			s.follow(name, source, name)
			return true
		}
	}
	return !strings.Contains(name, ".")
}

// follow queues what the source of a module in a package imports. Of what a function
// of a start module imports, only the library's own modules in C are taken:
// os.popen needs subprocess, and every program has os.
func (s *importSearch) follow(module string, source []byte, pkg string) {
	now, late := importsOf(source, pkg)
	s.queue = append(s.queue, now...)
	if s.isNamed(module) {
		s.queue = append(s.queue, late...)
		return
	}
	starts := slices.Contains(startModules(), module)
	for _, name := range late {
		top, _, _ := strings.Cut(name, ".")
		if starts && s.isExtension(name) || !starts && !slices.Contains(tools(), top) {
			s.queue = append(s.queue, name)
		}
	}
}

// isNamed says whether the policy names a module, or a package that it is below.
func (s *importSearch) isNamed(module string) bool {
	return slices.ContainsFunc(s.named, func(name string) bool {
		return module == name || strings.HasPrefix(module, name+".")
	})
}

// isExtension says whether a module is an accelerator in C that comes with the
// interpreter.
func (s *importSearch) isExtension(name string) bool {
	if !strings.HasPrefix(name, "_") || strings.Contains(name, ".") {
		return false
	}
	return slices.Contains(builtinModules(), name) || slices.ContainsFunc(s.roots, func(root moduleRoot) bool {
		return filepath.Base(root.dir) == "lib-dynload" && root.names[name]
	})
}

// buildData are the modules of what the interpreter was built with. sysconfig makes
// up their name, which ends in that of the machine and may hold a hyphen.
func (s *importSearch) buildData() []string {
	var names []string
	for _, root := range s.roots {
		for name := range root.names {
			if strings.HasPrefix(name, "_sysconfigdata_") {
				names = append(names, name)
			}
		}
	}
	return names
}

// maxPackage bounds how many modules of one package are looked at.
const maxPackage = 5000

// below lists the modules below a package, but for its own tests.
func (s *importSearch) below(name string) []string {
	var names []string
	for _, root := range s.roots {
		base := filepath.Join(root.dir, filepath.FromSlash(strings.ReplaceAll(name, ".", "/")))
		_ = filepath.WalkDir(base, func(path string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil || len(names) == maxPackage:
				return fs.SkipAll // what cannot be read is not imported either
			case entry.IsDir() && slices.Contains([]string{"test", "tests", "__pycache__"}, entry.Name()):
				return fs.SkipDir
			case strings.HasSuffix(path, ".py") && entry.Name() != "__init__.py" && entry.Name() != "__main__.py":
				inside, err := filepath.Rel(base, strings.TrimSuffix(path, ".py"))
				if err != nil {
					return err
				}
				names = append(names, name+"."+strings.ReplaceAll(filepath.ToSlash(inside), "/", "."))
			}
			return nil
		})
	}
	return names
}

func cutLast(name string) (above string, found bool) {
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return name[:i], true
	}
	return "", false
}

// Imports returns the top-level names of the modules that a program imports, at once or
// in a function, in the order of its lines. It reads the source as text.
func Imports(source []byte) []string {
	var names []string
	now, late := importsOf(source, "")
	for _, name := range slices.Concat(now, late) {
		top, _, _ := strings.Cut(name, ".")
		if top != "" && !slices.Contains(names, top) {
			names = append(names, top)
		}
	}
	return names
}

// importsOf returns the dotted names in the import statements of a source of a
// package: those that run when it is imported, and those in functions and classes.
// What only runs when it is a program is left out.
func importsOf(source []byte, pkg string) (now, late []string) {
	var block []byte
	for at, seen := 0, 0; ; {
		found := bytes.Index(source[at:], []byte("import"))
		if found < 0 {
			return now, late
		}
		start := bytes.LastIndexByte(source[:at+found], '\n') + 1
		at = len(source)
		if end := bytes.IndexByte(source[start:], '\n'); end >= 0 {
			at = start + end + 1
		}
		names := importedBy(source[start:at], pkg)
		if len(names) == 0 {
			continue
		}
		block = blockOf(source, start, seen, block)
		seen = at
		switch {
		case startsWith(block, "if __name__", "def main(", "def _main(", "def test(", "def _test(", "def demo(", "def _demo("):
		case startsWith(block, "def ", "class ", "async def "):
			late = append(late, names...)
		default:
			now = append(now, names...)
		}
	}
}

// blockOf returns what begins with the last line that is not indented, at or before
// the line that begins at start. Where seen begins, that is above.
func blockOf(source []byte, start, seen int, above []byte) []byte {
	for bytes.IndexByte([]byte(" \t\r\n#)"), source[start]) >= 0 {
		if start <= seen {
			return above
		}
		start = bytes.LastIndexByte(source[:start-1], '\n') + 1
	}
	return source[start:]
}

func startsWith(line []byte, beginnings ...string) bool {
	return slices.ContainsFunc(beginnings, func(beginning string) bool {
		return len(line) >= len(beginning) && string(line[:len(beginning)]) == beginning
	})
}

// importedBy returns the dotted names in one line, if it is an import statement.
func importedBy(line []byte, pkg string) []string {
	if !startsWith(bytes.TrimLeft(line, " \t"), "import", "from") {
		return nil
	}
	if match := importLine().FindSubmatch(line); match != nil {
		var names []string
		for part := range strings.SplitSeq(string(match[1]), ",") {
			if fields := strings.Fields(part); len(fields) > 0 {
				names = append(names, fields[0])
			}
		}
		return names
	}
	if match := fromLine().FindSubmatch(line); match != nil {
		return fromImports(string(match[1]), string(match[2]), string(match[3]), pkg)
	}
	return nil
}

// fromImports returns the module of a from statement and what may be modules
// below it. Each dot after the first leads one package up.
func fromImports(dots, module, parts, pkg string) []string {
	if dots != "" {
		for range len(dots) - 1 {
			pkg, _ = cutLast(pkg)
		}
		module = strings.Trim(pkg+"."+module, ".")
	}
	if module == "" {
		return nil
	}
	names := []string{module}
	for part := range strings.SplitSeq(parts, ",") {
		if fields := strings.Fields(part); len(fields) > 0 {
			names = append(names, module+"."+fields[0])
		}
	}
	return names
}
