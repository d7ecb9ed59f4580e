package main

import "strings"

// list is a flag that may be given more than once. pflag's own list encodes its
// values as CSV whenever a flag is defined, which costs each start 100 µs.
type list []string

// Set appends one value, commas and all.
func (l *list) Set(value string) error {
	*l = append(*l, value)
	return nil
}

func (l *list) String() string { return strings.Join(*l, " ") }

// Type tells the completion of a shell that the flag may be repeated.
func (l *list) Type() string { return "stringArray" }
