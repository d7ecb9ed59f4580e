package main

import (
	"errors"
	"strings"
)

// errEmpty is why an empty value of a flag is refused: most often it is that of a
// variable of a shell that is not set, and the limit or file which it should have
// named would be missing without a word.
var errEmpty = errors.New("the value is empty")

// errTwice is why a flag that names one file is refused the second time: the first
// file would be ignored.
var errTwice = errors.New("it may be given once")

// text is a flag with a value, which is never empty.
type text string

// Set takes the value as it is.
func (t *text) Set(value string) error {
	if value == "" {
		return errEmpty
	}
	*t = text(value)
	return nil
}

func (t *text) String() string { return string(*t) }

// Type is what pflag calls a flag with a text.
func (t *text) Type() string { return "string" }

// file is a flag that names the one file for its purpose.
type file string

// Set takes the first value as it is.
func (f *file) Set(value string) error {
	if *f != "" {
		return errTwice
	}
	return (*text)(f).Set(value)
}

func (f *file) String() string { return string(*f) }

// Type is what pflag calls a flag with a text.
func (f *file) Type() string { return "string" }

// list is a flag that may be given more than once. pflag's own list encodes its
// values as CSV whenever a flag is defined, which costs each start 100 µs.
type list []string

// Set appends one value, commas and all.
func (l *list) Set(value string) error {
	if value == "" {
		return errEmpty
	}
	*l = append(*l, value)
	return nil
}

func (l *list) String() string { return strings.Join(*l, " ") }

// Type tells the completion of a shell that the flag may be repeated.
func (l *list) Type() string { return "stringArray" }
