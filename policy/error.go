package policy

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// maxErrors is how many errors are reported at once.
const maxErrors = 20

// Error is one mistake in a policy, at the place where it was made.
type Error struct {
	Place
	Message string // what is wrong and what was expected
	Nearest string // the valid name most like the one that was written, if any is

	NoInterpreter bool // there is nothing at the path of the interpreter

	cause error // of a Problem, or nil
}

// Error writes the place and the message on one line.
func (e *Error) Error() string {
	place := e.Place
	text := place.String() + ": " + e.Message
	if e.Nearest != "" {
		text += "; did you mean " + strconv.Quote(e.Nearest) + "?"
	}
	return text
}

// Unwrap returns what a Problem is about, or nil.
func (e *Error) Unwrap() error { return e.cause }

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
