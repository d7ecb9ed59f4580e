package policy

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/nearest"
)

// pathSyntax is a path that must exist and that the caller may use: mode is
// that of access(2).
func pathSyntax(mode uint32) syntax[string] {
	return textSyntax("a path", func(from source, text string) (string, error) {
		path, err := absolute(from, text)
		if err != nil {
			return "", err
		}
		return path, checkAccess(text, path, mode)
	}, plain)
}

// laterPathSyntax is a path that need not exist on the host.
func laterPathSyntax() syntax[string] {
	return textSyntax("a path", absolute, plain)
}

func absolute(from source, text string) (string, error) {
	switch {
	case text == "" || strings.ContainsRune(text, 0):
		return "", expected("a path")
	case filepath.IsAbs(text):
		return filepath.Clean(text), nil
	default:
		return filepath.Join(from.dir, text), nil
	}
}

// checkAccess reports a path that is missing or closed to the caller, by
// effective ids.
func checkAccess(text, path string, mode uint32) error {
	err := unix.Faccessat(unix.AT_FDCWD, path, mode, unix.AT_EACCESS)
	if err == nil {
		return nil
	}
	shown := fmt.Sprintf("%q", text)
	if path != text {
		shown += " (" + printable(path) + ")"
	}
	switch {
	case errors.Is(err, unix.ENOENT) && strings.HasPrefix(text, "~"):
		return fmt.Errorf("%s does not exist; ~ is not expanded, write the whole path%w", shown, missing{})
	case errors.Is(err, unix.ENOENT) && leads(path) != "":
		return fmt.Errorf("%s is a symbolic link to %s, which does not exist%w", shown, printable(leads(path)), missing{})
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR):
		return &unknownPath{shown, nearestPath(text, path)}
	case errors.Is(err, unix.EACCES) && mode&unix.W_OK != 0:
		return fmt.Errorf("%s may not be read and written by you", shown)
	case errors.Is(err, unix.EACCES):
		return fmt.Errorf("%s may not be read by you", shown)
	default:
		return fmt.Errorf("%s: %w", shown, err)
	}
}

// leads is what a symbolic link says, or empty for what is none.
func leads(path string) string {
	target, err := os.Readlink(path)
	if err != nil {
		return ""
	}
	return target
}

// unknownPath is an error about a path at which there is nothing.
type unknownPath struct{ shown, nearest string }

func (e *unknownPath) Error() string { return e.shown + " does not exist" }

// Unwrap marks it as missing.
func (e *unknownPath) Unwrap() error { return missing{} }

// nearestPath is the path beside one that does not exist whose last part is most
// like it, written as text is. It is empty where nothing is alike.
func nearestPath(text, path string) string {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return ""
	}
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = entry.Name()
	}
	near := nearest.Name(filepath.Base(path), names)
	head, isWhole := strings.CutSuffix(strings.TrimRight(text, "/"), filepath.Base(path))
	if near == "" || !isWhole {
		return ""
	}
	return head + near
}

// missing marks an error about a path at which there is nothing. It adds no words.
type missing struct{}

func (missing) Error() string { return "" }

// noInterpreter is an error about the path of an interpreter.
type noInterpreter struct{ error }

func (e noInterpreter) Unwrap() error { return e.error }

// isNoInterpreter says whether an error is that there is nothing at the path of
// the interpreter.
func isNoInterpreter(err error) bool {
	_, about := errors.AsType[noInterpreter](err)
	return about && errors.Is(err, missing{})
}

// programSyntax is a program or a directory of programs; a bare name is looked
// for on the host later.
func programSyntax() syntax[string] {
	return textSyntax(`a program such as "git", or a path`, func(from source, text string) (string, error) {
		if !strings.Contains(text, "/") {
			if text == "" || text == "." || text == ".." || strings.ContainsAny(text, " \x00") {
				return "", expected(`a program such as "git", or a path`)
			}
			return text, nil
		}
		return pathSyntax(unix.R_OK).flag(from, text)
	}, plain)
}

// interpreterSyntax is a name, a version, a path or a venv directory; only what
// has a slash is a path.
func interpreterSyntax() syntax[string] {
	return textSyntax("an interpreter: a name, a path, a version or a venv directory", func(from source, text string) (string, error) {
		if text == "" || strings.ContainsRune(text, 0) {
			return "", expected("an interpreter: a name, a path, a version or a venv directory")
		}
		if !strings.Contains(text, "/") {
			return text, nil
		}
		path, err := pathSyntax(unix.R_OK).flag(from, text)
		if err != nil {
			return "", noInterpreter{err}
		}
		return path, nil
	}, plain)
}

// variableSyntax is the name of an environment variable. A comma is no part of one, lest
// "A,B" be the name of a variable that nobody has set, and so pass nothing.
func variableSyntax() syntax[string] {
	s := textSyntax("the name of an environment variable", func(_ source, text string) (string, error) {
		odd := func(r rune) bool { return r == '=' || r <= ' ' || r == 0x7f }
		if text == "" || strings.ContainsFunc(text, odd) {
			return "", expected("the name of an environment variable")
		}
		if strings.Contains(text, ",") {
			return "", expected("the name of one environment variable")
		}
		return text, nil
	}, plain)
	s.schema = func() map[string]any { return map[string]any{"type": "string", "pattern": "^[^=,\\s]+$"} }
	return s
}

// freeTextSyntax is any text without NUL, which neither the environment nor a
// path can hold.
func freeTextSyntax() syntax[string] {
	return textSyntax("a text", func(_ source, text string) (string, error) {
		if strings.ContainsRune(text, 0) {
			return "", expected("a text without a NUL byte")
		}
		return text, nil
	}, plain)
}

// moduleSyntax is a module's name, or "name.*" for all modules below it.
func moduleSyntax() syntax[string] {
	const noun = `a module such as "json", or "urllib.*" for those below it`
	s := textSyntax(noun, func(_ source, text string) (string, error) {
		for part := range strings.SplitSeq(strings.TrimSuffix(text, ".*"), ".") {
			if part == "" || strings.ContainsAny(part, "*/\\ \t\n\x00") || part[0] >= '0' && part[0] <= '9' {
				return "", expected(noun)
			}
		}
		return text, nil
	}, plain)
	return s
}

// capabilitySyntax is the name under which the host offers something.
func capabilitySyntax() syntax[string] {
	const noun = "a capability's name of letters, digits, dots, hyphens and underscores"
	s := textSyntax(noun, func(_ source, text string) (string, error) {
		rest := strings.TrimLeft(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
		if text == "" || rest != "" {
			return "", expected(noun)
		}
		return text, nil
	}, plain)
	s.schema = func() map[string]any { return map[string]any{"type": "string", "pattern": "^[A-Za-z0-9._-]+$"} }
	return s
}
