package host

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// cached is a cache with the entry of one fake interpreter.
type cached struct {
	Cache
	prefix, executable string
	caller             Caller
}

func newCached(t *testing.T) cached {
	t.Helper()
	base := testenv.WorldDir(t)
	c := cached{
		Cache:  Cache{Dir: filepath.Join(base, "cache/pysandbox")},
		prefix: filepath.Join(base, "python"),
		caller: Caller{UID: os.Geteuid(), Directory: "/", Env: map[string]string{"HOME": "/nonexistent"}},
	}
	fakePrefix(t, c.prefix, "python3.12")
	c.executable = filepath.Join(c.prefix, "bin/python3")
	if err := os.Mkdir(filepath.Join(c.prefix, "lib/python3.12/site-packages"), 0o755); err != nil {
		t.Fatal(err)
	}
	// Whoever else changes a directory that was looked into, /etc say, at this moment
	// keeps the entry from being kept.
	for range 50 {
		time.Sleep(2 * clockTick)
		c.find(t)
		if _, ok := c.load(c.executable, c.caller); ok {
			return c
		}
	}
	t.Fatal("the entry is not kept, or does not hold")
	return c
}

func (c cached) find(t *testing.T) Interpreter {
	t.Helper()
	python, err := c.FindInterpreter(c.executable, c.caller)
	if err != nil {
		t.Fatal(err)
	}
	return python
}

// file is the path of the entry.
func (c cached) file() string {
	return filepath.Join(c.Dir, entryName(c.executable, programIdentity()))
}

func TestCacheAnswersWhatWasFound(t *testing.T) {
	for _, path := range everyPython(t) {
		cache := Cache{Dir: filepath.Join(t.TempDir(), "cache")}
		first, err := cache.FindInterpreter(path, testCaller())
		if err != nil {
			t.Fatal(err)
		}
		again, ok := cache.load(first.Executable, testCaller())
		if !ok || !reflect.DeepEqual(first, again) {
			t.Errorf("%s: loaded %v: %+v, found %+v", path, ok, again, first)
		}
	}
}

// TestCacheAnswersWithoutLooking changes the entry: the change comes back.
func TestCacheAnswersWithoutLooking(t *testing.T) {
	c := newCached(t)
	data, err := os.ReadFile(c.file())
	if err != nil {
		t.Fatal(err)
	}
	e, err := decodeEntry(data)
	if err != nil {
		t.Fatal(err)
	}
	e.python.Version = "3.99"
	if err := os.WriteFile(c.file(), e.encode(), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := c.find(t).Version; got != "3.99" {
		t.Errorf("version %s was found again", got)
	}
}

func TestCacheNoticesChanges(t *testing.T) {
	for name, change := range map[string]func(c cached) error{
		"a package is installed": func(c cached) error {
			return os.Mkdir(filepath.Join(c.prefix, "lib/python3.12/site-packages/new"), 0o755)
		},
		"a library appears": func(c cached) error {
			return os.WriteFile(filepath.Join(c.prefix, "lib/libpython3.12.so"), nil, 0o644)
		},
		"the interpreter is written anew": func(c cached) error {
			return appendTo(filepath.Join(c.prefix, "bin/python3.12"))
		},
		"the interpreter is replaced": func(c cached) error {
			return os.Rename(filepath.Join(c.prefix, "lib/python3.12/os.py"), filepath.Join(c.prefix, "bin/python3.12"))
		},
		"the standard library changes": func(c cached) error {
			return os.WriteFile(filepath.Join(c.prefix, "lib/python3.12/new.py"), nil, 0o644)
		},
		"it becomes an environment": func(c cached) error {
			return os.WriteFile(filepath.Join(c.prefix, "pyvenv.cfg"), nil, 0o644)
		},
		"the prefix changes hands": func(c cached) error { return os.Chmod(c.prefix, 0o700) },
		"another link":             func(c cached) error { return os.Remove(filepath.Join(c.prefix, "bin/python")) },
		"the file is gone":         func(c cached) error { return os.Remove(c.file()) },
		"the file is damaged":      func(c cached) error { return appendTo(c.file()) },
		"the file is cut short":    func(c cached) error { return os.Truncate(c.file(), 100) },
		"the file is another's": func(c cached) error {
			return os.Rename(c.file(), filepath.Join(c.Dir, entryName("/usr/bin/python3", programIdentity())))
		},
		"the file is a symlink": func(c cached) error {
			if err := os.Rename(c.file(), c.file()+".moved"); err != nil {
				return err
			}
			return os.Symlink(c.file()+".moved", c.file())
		},
		"the directory is open": func(c cached) error { return os.Chmod(c.Dir, 0o755) },
		"the directory is a symlink": func(c cached) error {
			if err := os.Rename(c.Dir, c.Dir+".moved"); err != nil {
				return err
			}
			return os.Symlink(c.Dir+".moved", c.Dir)
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCached(t)
			if err := change(c); err != nil {
				t.Fatal(err)
			}
			if _, ok := c.load(c.executable, c.caller); ok {
				t.Error("the entry still holds")
			}
		})
	}
}

func appendTo(path string) error {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteString("x")
	return errors.Join(err, file.Close())
}

// TestCacheIgnoresWhatDoesNotMatter changes what no closure depends on.
func TestCacheIgnoresWhatDoesNotMatter(t *testing.T) {
	testenv.Need(t, testenv.Root) // writes to /etc
	c := newCached(t)
	for _, path := range []string{filepath.Join(filepath.Dir(c.prefix), "neighbour"), filepath.Join("/etc", fmt.Sprintf("pysandbox-test-%d", os.Getpid()))} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Remove(path) })
	}
	if _, ok := c.load(c.executable, c.caller); !ok {
		t.Error("the entry does not hold any more")
	}
}

func TestCacheBelongsToItsWriter(t *testing.T) {
	c := newCached(t)
	data, err := os.ReadFile(c.file())
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(e *cacheEntry){
		"another build":      func(e *cacheEntry) { e.program.inode++ },
		"another kernel":     func(e *cacheEntry) { e.kernel = "2.6.18" },
		"another home":       func(e *cacheEntry) { e.home = "/home/other" },
		"another executable": func(e *cacheEntry) { e.key = "/usr/bin/python3" },
		"a witness of what is not": func(e *cacheEntry) {
			e.witnesses = append(e.witnesses, witness{path: "/nonexistent", kind: unchanged})
		},
		"a witness of nothing": func(e *cacheEntry) { e.witnesses = append(e.witnesses, witness{path: "/etc", kind: absent}) },
	} {
		e, err := decodeEntry(data)
		if err != nil {
			t.Fatal(err)
		}
		change(e)
		if err := os.WriteFile(c.file(), e.encode(), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, ok := c.load(c.executable, c.caller); ok {
			t.Errorf("%s: the entry holds", name)
		}
	}
	if err := os.WriteFile(c.file(), data, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, ok := c.load(c.executable, c.caller); !ok {
		t.Error("the unchanged entry does not hold")
	}
}

// TestCacheKeepsNothingTooFresh changes a file just before it is looked at: it
// could change again within the clock's tick, so the closure is not kept.
func TestCacheKeepsNothingTooFresh(t *testing.T) {
	c := newCached(t)
	if err := appendTo(filepath.Join(c.prefix, "bin/python3.12")); err != nil {
		t.Fatal(err)
	}
	c.find(t)
	if _, ok := c.load(c.executable, c.caller); ok {
		t.Error("an entry was kept within the tick")
	}
	time.Sleep(2 * clockTick)
	c.find(t)
	if _, ok := c.load(c.executable, c.caller); !ok {
		t.Error("no entry was kept after the tick")
	}
}

// TestCachedEnvironmentNoticesItsBase changes the interpreter on which a real
// environment is built.
func TestCachedEnvironmentNoticesItsBase(t *testing.T) {
	testenv.Need(t, testenv.DebianPython)
	venv := filepath.Join(testenv.WorldDir(t), "venv")
	if output, err := exec.Command("/usr/bin/python3", "-I", "-m", "venv", "--without-pip", venv).CombinedOutput(); err != nil {
		t.Fatalf("make the environment: %v\n%s", err, output)
	}
	time.Sleep(2 * clockTick)
	cache := Cache{Dir: filepath.Join(t.TempDir(), "cache")}
	if _, err := cache.FindInterpreter(venv, testCaller()); err != nil {
		t.Fatal(err)
	}
	executable := filepath.Join(venv, "bin/python")
	if _, ok := cache.load(executable, testCaller()); !ok {
		t.Fatal("the environment was not kept")
	}
	if err := appendTo(filepath.Join(venv, "pyvenv.cfg")); err != nil {
		t.Fatal(err)
	}
	if _, ok := cache.load(executable, testCaller()); ok {
		t.Error("a change of pyvenv.cfg was not noticed")
	}
}

func TestCacheOfProgramsNoticesChanges(t *testing.T) {
	dir := testenv.WorldDir(t)
	tool := filepath.Join(dir, "tool")
	writeFile(t, tool, "#!/bin/sh\n")
	if err := os.Chmod(tool, 0o755); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * clockTick)
	cache := Cache{Dir: filepath.Join(t.TempDir(), "cache")}
	caller := Caller{UID: os.Geteuid(), Directory: "/", Env: map[string]string{"PATH": "/nonexistent:" + dir + ":/usr/bin"}}
	first, err := cache.ProgramClosure([]string{"tool"}, caller)
	if err != nil || shows(first, "/usr/bin/env") {
		t.Fatalf("%+v (%v)", first, err)
	}
	entries, err := os.ReadDir(cache.Dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%d entries were kept (%v)", len(entries), err)
	}
	again, err := cache.ProgramClosure([]string{"tool"}, caller)
	if err != nil || !reflect.DeepEqual(first, again) {
		t.Errorf("%+v became %+v (%v)", first, again, err)
	}
	writeFile(t, tool, "#!/usr/bin/env sh\n")
	changed, err := cache.ProgramClosure([]string{"tool"}, caller)
	if err != nil || !shows(changed, "/usr/bin/env") {
		t.Errorf("after the script changed: %+v (%v)", changed, err)
	}
	caller.Env["PATH"] = "/usr/bin"
	if other, err := cache.ProgramClosure([]string{"tool"}, caller); err == nil {
		t.Errorf("on another PATH: %+v", other)
	}
}
