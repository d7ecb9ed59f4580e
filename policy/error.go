package policy

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxErrors is how many errors are reported at once.
const maxErrors = 20

// Error is one mistake in a policy, at the place where it was made: a file with
// line and column, a flag, or an environment variable.
type Error struct {
	File         string // path as given, or "preset:NAME"; empty for a flag or variable
	Line, Column int    // from 1, columns in bytes; 0 where the file as a whole is meant
	Flag         string // "--memory" or "PYSANDBOX_PRESET"; empty for a file
	Message      string // what is wrong and what was expected
	Nearest      string // the valid name most like the one that was written, if any is

	NoInterpreter bool // there is nothing at the path of the interpreter
}

// Error writes the place and the message on one line.
func (e *Error) Error() string {
	text := e.place() + ": " + e.Message
	if e.Nearest != "" {
		text += "; did you mean " + strconv.Quote(e.Nearest) + "?"
	}
	return text
}

func (e *Error) place() string {
	switch {
	case e.Flag != "":
		return e.Flag
	case e.Line > 0:
		return fmt.Sprintf("%s:%d:%d", printable(e.File), e.Line, e.Column)
	default:
		return printable(e.File)
	}
}

// printable is a path as it is, or quoted where it would break the line or speak
// to the terminal.
func printable(path string) string {
	odd := func(r rune) bool { return !strconv.IsPrint(r) }
	if strings.ContainsFunc(path, odd) || !utf8.ValidString(path) {
		return strconv.Quote(path)
	}
	return path
}

// sortByPlace puts the errors of one file in the order of their places, and the
// files in the order in which they were read.
func sortByPlace(errs []*Error) {
	order := map[string]int{}
	for _, err := range errs {
		if _, seen := order[err.File]; !seen {
			order[err.File] = len(order)
		}
	}
	slices.SortStableFunc(errs, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(order[a.File], order[b.File]), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// join makes one error of many. It is nil for none.
func join(errs []*Error) error {
	sortByPlace(errs)
	var joined []error
	for i, err := range errs {
		if i == maxErrors {
			joined = append(joined, fmt.Errorf("%s: and %d more mistakes", printable(err.File), len(errs)-i))
			break
		}
		joined = append(joined, err)
	}
	return errors.Join(joined...)
}
