package policy

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Place is where something of a policy was written: a file with line and column,
// a flag, or an environment variable.
type Place struct {
	File         string // path as given, or "preset:NAME"; empty for a flag or variable
	Line, Column int    // from 1, columns in bytes; 0 where the file as a whole is meant
	Flag         string // "--memory" or "PYSANDBOX_PRESET"; empty for a file
}

func (p Place) String() string {
	switch {
	case p.Flag != "":
		return p.Flag
	case p.Line > 0:
		return fmt.Sprintf("%s:%d:%d", printable(p.File), p.Line, p.Column)
	default:
		return printable(p.File)
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

// Problem is what is wrong or doubtful about a value that was well written: it
// contradicts another, or this host does not have what it names.
type Problem struct {
	Key   string // of the value: "limits.memory", "env.set.NAME", or Item of a list; empty for none
	Other string // the key of the value that it contradicts, or empty
	Err   error  // what is wrong and what would fix it
}

func (p *Problem) Error() string {
	if p.Key == "" {
		return p.Err.Error()
	}
	return p.Key + ": " + p.Err.Error()
}

// Unwrap returns what is wrong.
func (p *Problem) Unwrap() error { return p.Err }

func (p *Problem) ofPolicy() {}

// Item is the key of an item of a list, "files.read[1]".
func Item(list string, index int) string { return list + "[" + strconv.Itoa(index) + "]" }

// Origins says where each value of a policy was written, by its key. The items of
// a list are counted over all layers.
type Origins map[string]Place

// Where is the place of a value with a colon, to begin a message with, or empty
// for a value that no layer wrote.
func (o Origins) Where(key string) string {
	if place, written := o[key]; written {
		return place.String() + ": "
	}
	return ""
}

// Chosen reports whether a flag, a variable or a file of the operator's wrote a
// value, rather than a preset.
func (o Origins) Chosen(key string) bool {
	place, written := o[key]
	return written && !strings.HasPrefix(place.File, presetPrefix)
}

// Locate gives every Problem that an error joins or wraps its place, in the order
// of places. What stands around a Problem in an error says what was done when it
// was found, and is left out; other errors stay as they are.
func (o Origins) Locate(err error) error {
	var located []*Error
	var others []error
	for _, part := range parts(err) {
		problem, isProblem := errors.AsType[*Problem](part)
		if !isProblem {
			others = append(others, part)
		} else if one := o.locate(problem); one != nil {
			located = append(located, one)
		} else {
			others = append(others, problem)
		}
	}
	return errors.Join(append([]error{join(located)}, others...)...)
}

// parts takes an error apart down to each Problem in it.
func parts(err error) []error {
	if _, holdsProblem := errors.AsType[*Problem](err); !holdsProblem {
		return slices.DeleteFunc([]error{err}, func(err error) bool { return err == nil })
	}
	if _, isProblem := err.(interface{ ofPolicy() }); isProblem {
		return []error{err}
	}
	joined, isJoined := err.(interface{ Unwrap() []error })
	if !isJoined {
		return parts(errors.Unwrap(err))
	}
	var all []error
	for _, part := range joined.Unwrap() {
		all = append(all, parts(part)...)
	}
	return all
}

// locate is nil for a problem about what no layer wrote.
func (o Origins) locate(p *Problem) *Error {
	place, written := o[p.Key]
	if !written {
		return nil
	}
	e := &Error{Place: place, Message: p.Err.Error(), cause: p.Err}
	if place.Flag == "" { // a flag says which key is meant
		key, _, _ := strings.Cut(p.Key, "[") // the place says which item
		e.Message = key + ": " + e.Message
	}
	if other, written := o[p.Other]; written {
		e.Message += " (the other is " + other.String() + ")"
	}
	return e
}
