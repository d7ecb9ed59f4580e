package host

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/pysandbox/pysandbox/internal/nearest"
)

// UnknownModules returns those of the named modules ("json", "urllib.request",
// "urllib.*") that the interpreter does not have and that are in none of the
// directories, from which a program may import as well.
func (i Interpreter) UnknownModules(names, dirs []string) []string {
	seen := make(listings)
	roots := append(i.moduleRoots(), dirs...)
	has := func(name string) bool {
		return slices.ContainsFunc(roots, func(root string) bool {
			return slices.ContainsFunc(seen.find(root, name), importable)
		})
	}
	isPackage := func(name string) bool {
		return slices.ContainsFunc(roots, func(root string) bool { return isRealDir(filepath.Join(root, name)) })
	}
	var unknown []string
	for _, name := range names {
		top, _, below := strings.Cut(name, ".")
		switch {
		case !has(top) && !has("_"+top) && !slices.Contains(builtinModules(), top):
			unknown = append(unknown, name)
		case below && isPackage(top) && !has(name):
			unknown = append(unknown, name)
		}
	}
	return unknown
}

// importable says whether a file that has the name of a module is one. Metadata of a
// package (numpy-1.24.dist-info) is none, nor a file of another kind (job.toml), nor
// what __pycache__ has of a module whose source is gone.
func importable(file ModuleFile) bool {
	dir, base := filepath.Split(file.Path)
	stem, rest, _ := strings.Cut(base, ".")
	if strings.Contains(stem, "-") {
		return false
	}
	if file.Dir {
		return rest == ""
	}
	suffixes := []string{".py", ".pyc", ".so"}
	return slices.Contains(suffixes, filepath.Ext(base)) && filepath.Base(dir) != "__pycache__"
}

// NearestModule suggests what was meant by the name of an unknown module: a
// top-level module, or one in the package that the name begins with. It is empty
// where nothing is alike.
func (i Interpreter) NearestModule(name string) string {
	parent, last := "", name
	if at := strings.LastIndexByte(strings.TrimSuffix(name, ".*"), '.'); at >= 0 {
		parent, last = name[:at+1], name[at+1:]
	}
	known := builtinModules()
	if parent != "" {
		known = nil
	}
	for _, root := range i.moduleRoots() {
		dir := filepath.Join(root, strings.ReplaceAll(parent, ".", "/"))
		for _, file := range namesIn([]string{dir}) {
			module, _, _ := strings.Cut(file, ".")
			known = append(known, module)
		}
	}
	below := strings.HasSuffix(last, ".*")
	near := nearest.Name(strings.TrimSuffix(last, ".*"), known)
	switch {
	case near == "":
		return ""
	case below:
		near += ".*"
	}
	return parent + near
}

// builtinModules are those that some build of CPython 3.8 to 3.13 has in itself,
// so that there is no file: sys.builtin_module_names of python.org's sources and of
// Debian's packages, together.
func builtinModules() []string {
	return strings.Fields(`
		_abc _ast _bisect _blake2 _codecs _collections _csv _datetime _elementtree
		_functools _heapq _imp _io _locale _md5 _opcode _operator _peg_parser _pickle
		_posixsubprocess _random _sha1 _sha256 _sha3 _sha512 _signal _socket _sre _stat
		_statistics _string _struct _suggestions _symtable _sysconfig _thread _tokenize
		_tracemalloc _typing _warnings _weakref array atexit binascii builtins cmath
		errno faulthandler fcntl gc grp itertools marshal math posix pwd pyexpat select
		spwd sys syslog time unicodedata xxsubtype zlib
		_frozen_importlib _frozen_importlib_external __main__ __future__ pysandbox_guest`)
}
