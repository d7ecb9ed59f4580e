package host

import (
	"path/filepath"
	"strings"
	"time"
)

// Cache keeps the closures of interpreters and programs, which take up to some
// hundred milliseconds to find, in files that only this user can write. The zero value keeps nothing.
type Cache struct {
	Dir string // absolute; empty for no cache
}

// UserCache returns the cache of the caller: below /var/cache for root, else
// below XDG_CACHE_HOME or ~/.cache. Without a home there is none.
func UserCache(caller Caller) Cache {
	if caller.UID == 0 {
		return Cache{Dir: "/var/cache/pysandbox"}
	}
	base := caller.Env["XDG_CACHE_HOME"]
	if !filepath.IsAbs(base) && filepath.IsAbs(caller.Env["HOME"]) {
		base = filepath.Join(caller.Env["HOME"], ".cache")
	}
	if !filepath.IsAbs(base) {
		return Cache{}
	}
	return Cache{Dir: filepath.Join(base, "pysandbox")}
}

// FindInterpreter is FindInterpreter with a closure from the cache where that
// has one which still holds. What cannot be kept is found again the next time.
func (c Cache) FindInterpreter(request string, caller Caller) (Interpreter, error) {
	executable, err := locate(newTree(), request, caller)
	if err != nil {
		return Interpreter{}, err
	}
	return c.remember(executable, caller, func(t *tree) (Interpreter, []string, error) {
		s, err := examine(t, executable, caller)
		if err != nil {
			return Interpreter{}, nil, err
		}
		return buildInterpreter(t, s, caller)
	})
}

// ProgramClosure is ProgramClosure with the cache.
func (c Cache) ProgramClosure(entries []string, caller Caller) (Closure, error) {
	key := strings.Join(append([]string{"programs", caller.Env["PATH"], caller.Env["PYENV_VERSION"], caller.Directory}, entries...), "\x00")
	found, err := c.remember(key, caller, func(t *tree) (Interpreter, []string, error) {
		closure, own, err := buildPrograms(t, entries, caller)
		return Interpreter{Closure: closure}, own, err
	})
	return found.Closure, err
}

// remember returns what the cache has under a key, or else finds it and keeps
// it. find also returns the files and directories that belong to what it found.
func (c Cache) remember(key string, caller Caller, find func(*tree) (Interpreter, []string, error)) (Interpreter, error) {
	if kept, ok := c.load(key, caller); ok {
		return kept, nil
	}
	began := time.Now()
	t := newTree()
	found, own, err := find(t)
	if err != nil {
		return Interpreter{}, err
	}
	found.Closure = found.group(groupedLibraries)
	if c.Dir == "" {
		return found, nil
	}
	witnesses := t.witnesses(own)
	if latest(witnesses) < began.Add(-clockTick).UnixNano() {
		c.store(&cacheEntry{
			key: key, program: programIdentity(), kernel: readKernel().Release, home: caller.Env["HOME"],
			python: found, witnesses: witnesses,
		})
	}
	return found, nil
}

// clockTick bounds the granularity of change times: a file that was changed
// within it before it was read may be changed again without a trace.
const clockTick = 20 * time.Millisecond

// load returns what the cache has under a key, if every witness holds.
func (c Cache) load(key string, caller Caller) (Interpreter, bool) {
	if c.Dir == "" {
		return Interpreter{}, false
	}
	dir, err := openOwnDir(c.Dir, caller.UID)
	if err != nil {
		return Interpreter{}, false
	}
	defer dir.Close()
	data, err := dir.Read(entryName(key, programIdentity()), maxEntry)
	if err != nil {
		return Interpreter{}, false
	}
	e, err := decodeEntry(data)
	if err != nil || e.key != key || e.home != caller.Env["HOME"] ||
		e.program != programIdentity() || e.kernel != readKernel().Release {
		return Interpreter{}, false
	}
	return e.python, holds(e.witnesses)
}
