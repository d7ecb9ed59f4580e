package host

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/nearest"
)

// Errors of FindProgram, as a shell tells them apart (exit status 127 and 126).
var (
	ErrNoProgram     = errors.New("no such program")
	ErrNotExecutable = errors.New("not executable")
)

// FindProgram returns the absolute path of the program that the caller means: a
// name is looked up on PATH, a path counts from the working directory. A directory
// of PATH that cannot be searched has no programs; a shim of pyenv stands for the
// program of the version in force. The error wraps ErrNoProgram or
// ErrNotExecutable.
func FindProgram(name string, caller Caller) (string, error) {
	return findProgram(newTree(), name, caller)
}

func findProgram(t *tree, name string, caller Caller) (string, error) {
	if strings.Contains(name, "/") {
		path := caller.absolute(name)
		if program, ok := throughShim(t, path, caller); ok {
			path = program
		}
		if err := checkProgram(t, path); err != nil {
			return "", err
		}
		return path, nil
	}
	var found error
	for _, dir := range caller.searchPath() {
		path := filepath.Join(dir, name)
		err := checkProgram(t, path)
		if err == nil {
			if program, ok := throughShim(t, path, caller); ok {
				return program, nil
			}
			continue
		}
		if errors.Is(err, ErrNotExecutable) && !errors.Is(err, unix.EACCES) && found == nil {
			found = err
		}
	}
	if found == nil {
		found = fmt.Errorf("find %s on PATH: %w%s", name, ErrNoProgram, didYouMean(name, namesIn(caller.searchPath())))
	}
	return "", found
}

// didYouMean suggests the known name that is most like the one that was written.
func didYouMean(name string, known []string) string {
	near := nearest.Name(name, known)
	if near == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", near)
}

// namesIn lists what lies in directories.
func namesIn(dirs []string) []string {
	var names []string
	for _, dir := range dirs {
		entries, _ := os.ReadDir(dir) // one that cannot be read has none to suggest
		for _, entry := range entries {
			names = append(names, entry.Name())
		}
	}
	return names
}

func checkProgram(t *tree, path string) error {
	found, err := t.walk(path)
	switch {
	case errors.Is(err, unix.EACCES):
		return fmt.Errorf("find %s: %w: %w", path, ErrNotExecutable, err)
	case err != nil:
		return fmt.Errorf("find %s: %w", path, ErrNoProgram)
	case !found.isFile() || found.stat.Mode&0o111 == 0:
		return fmt.Errorf("find %s: %w", path, ErrNotExecutable)
	}
	return nil
}

// EntryError says which entry of a list of programs cannot be shown.
type EntryError struct {
	Entry string
	Err   error
}

func (e *EntryError) Error() string { return e.Err.Error() }

// Unwrap returns why.
func (e *EntryError) Unwrap() error { return e.Err }

// ProgramClosure returns what the named programs need. Each entry is a name on
// PATH, the path of a program, or a directory, all of whose programs are meant. The
// error wraps an *EntryError.
func ProgramClosure(entries []string, caller Caller) (Closure, error) {
	return Cache{}.ProgramClosure(entries, caller)
}

// buildPrograms finds the closure of programs, and the files and directories that
// the entries name.
func buildPrograms(t *tree, entries []string, caller Caller) (Closure, []string, error) {
	b := newBuilder(caller, t)
	for _, entry := range entries {
		if err := b.entry(entry); err != nil {
			return Closure{}, nil, &EntryError{entry, err}
		}
	}
	b.runtime()
	return b.closure(), b.own, nil
}

// entry makes visible what one entry names.
func (b *builder) entry(entry string) error {
	if strings.Contains(entry, "/") {
		at, err := b.tree.walk(b.caller.absolute(entry))
		if planted := b.tree.planted(at.via, b.caller); planted != nil && err == nil {
			return fmt.Errorf("find %s: %w; name %s itself", entry, planted, at.path)
		}
	}
	if path := b.caller.absolute(entry); strings.Contains(entry, "/") && b.tree.isDir(path) {
		return b.programDir(path)
	}
	path, err := findProgram(b.tree, entry, b.caller)
	if err != nil {
		return err
	}
	return b.namedProgram(path, 0, true)
}

// SystemClosure returns the system's own programs, with their libraries and
// data: what a policy that lets any program start makes visible. Programs that
// users install in their homes, and what lies below /opt, are not part of it.
func SystemClosure(caller Caller) Closure {
	b := newBuilder(caller, newTree())
	b.offer(true,
		"/bin", "/sbin", "/lib", "/lib64",
		"/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib64", "/usr/libexec",
		"/usr/local/bin", "/usr/local/sbin", "/usr/local/lib", "/usr/local/libexec",
		"/etc/alternatives")
	b.offer(false, "/usr/share", "/usr/local/share", loaderCacheFile, muslPathFile())
	return b.closure()
}

// maxShebangs is the number of scripts that may interpret one another (execve(2)
// stops at 4).
const maxShebangs = 4

// namedProgram makes visible a program that the operator named: an ELF file, or
// a script together with what interprets it. claimed says that a Python may show
// what belongs to it although not every user can read that.
func (b *builder) namedProgram(path string, depth int, claimed bool) error {
	found, err := b.tree.walk(path)
	if err != nil {
		return err
	}
	if depth == 0 {
		b.own = append(b.own, found.path)
	}
	b.tree.watch(found.path)
	interpreter, byName, err := b.shebang(found.path)
	if err != nil {
		return err
	}
	if interpreter == nil {
		b.companions(found.path)
		if python, err := b.python(path, claimed); python || err != nil {
			return err
		}
		return b.program(path)
	}
	if depth == maxShebangs {
		return fmt.Errorf("%s is a script of a script of a script; name what they all start", path)
	}
	if _, err := b.need(path); err != nil {
		return err
	}
	for _, next := range interpreter {
		if err := checkProgram(b.tree, next); err != nil {
			return fmt.Errorf("the interpreter of %s: %w", path, err)
		}
		if err := b.namedProgram(next, depth+1, byName || b.beside(found.path, next)); err != nil {
			if strings.HasPrefix(filepath.Base(next), "python") {
				err = fmt.Errorf("%w; to run it as a script: pysandbox exec --python=%s %s", err, next, path)
			}
			return fmt.Errorf("the interpreter of %s: %w", path, err)
		}
	}
	return nil
}

// shebang returns the programs that the first line of a script starts: one, or
// env(1) and what it looks up; byName says that this was found on the caller's
// PATH. It returns none for a file that is no script.
func (b *builder) shebang(path string) (programs []string, byName bool, err error) {
	file, err := openRegular(path)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return nil, false, fmt.Errorf("start %s: %w: you may not read it", path, ErrNotExecutable)
	case err != nil:
		return nil, false, fmt.Errorf("read the program: %w", err)
	}
	defer file.Close()
	var head [256]byte // BINPRM_BUF_SIZE, execve(2)
	n, err := file.ReadAt(head[:], 0)
	switch {
	case n == 0 && errors.Is(err, io.EOF):
		return nil, false, fmt.Errorf("start %s: %w: it is empty", path, ErrNotExecutable)
	case n == 0:
		return nil, false, fmt.Errorf("read the program %s: %w", path, err)
	}
	line, isScript := bytes.CutPrefix(head[:n], []byte("#!"))
	if !isScript {
		return nil, false, nil
	}
	line, _, _ = bytes.Cut(line, []byte("\n"))
	if bytes.HasSuffix(line, []byte("\r")) {
		return nil, false, fmt.Errorf("start %s: %w: its first line ends as Windows ends lines, with a carriage return; remove it", path, ErrNotExecutable)
	}
	words := strings.Fields(string(line))
	if len(words) == 0 || !filepath.IsAbs(words[0]) {
		return nil, false, fmt.Errorf("start %s: its first line names no interpreter by an absolute path", path)
	}
	programs = words[:1:1]
	if filepath.Base(words[0]) == "env" {
		for _, word := range words[1:] {
			if strings.HasPrefix(word, "-") || strings.Contains(word, "=") {
				continue
			}
			program, err := findProgram(b.tree, word, b.caller)
			if err != nil {
				return nil, false, fmt.Errorf("start %s: %w", path, err)
			}
			return append(programs, program), !strings.Contains(word, "/"), nil
		}
	}
	return programs, false, nil
}

// programDir makes visible a directory that the operator named, with what every
// program in it needs. Programs that miss a library are left as they are.
func (b *builder) programDir(path string) error {
	found, err := b.tree.walk(path)
	if err != nil {
		return err
	}
	b.own = append(b.own, found.path)
	b.commit(found, true)
	return b.walkPrograms(found.path)
}
