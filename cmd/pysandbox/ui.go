package main

// This file holds every word that pysandbox says on a terminal. The rules:
//
//   - The program's own output is never touched.
//   - pysandbox's words go to standard error, one line each, behind the prefix
//     "pysandbox: ". No capital initial, no full stop. What would help follows
//     on a line of its own behind "hint: ".
//   - What was asked for (the output of check, explain, doctor and version)
//     goes to standard output without a prefix.
//   - A name that a program or a file may have chosen is escaped, so that it
//     can neither move the cursor nor forge a second line.
//   - --quiet drops everything but the reason for a failure.

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ui is where pysandbox speaks.
type ui struct {
	in    io.Reader
	out   io.Writer // what was asked for
	err   io.Writer // everything else
	quiet bool
}

// hinter is an error that knows what would help. The hint is one line.
type hinter interface {
	error
	Hint() string
}

// failure reports why nothing was run, or what went wrong. An error that joins
// several is reported line by line, each with its own hint.
func (u *ui) failure(err error) {
	for _, one := range split(err) {
		u.line("pysandbox: ", one.Error())
		if h, ok := errors.AsType[hinter](one); ok {
			u.hint(h.Hint())
		}
	}
}

// warning reports something that did not stop the run.
func (u *ui) warning(format string, args ...any) {
	if !u.quiet {
		u.line("pysandbox: warning: ", fmt.Sprintf(format, args...))
	}
}

// notice reports what happened in a run.
func (u *ui) notice(format string, args ...any) {
	if !u.quiet {
		u.line("pysandbox: ", fmt.Sprintf(format, args...))
	}
}

// hint says what would help; an empty hint says nothing.
func (u *ui) hint(text string) {
	if !u.quiet && text != "" {
		u.line("hint: ", text)
	}
}

// printf writes what was asked for. Its arguments are escaped by the caller.
func (u *ui) printf(format string, args ...any) error {
	_, err := fmt.Fprintf(u.out, format, args...)
	return err
}

// line writes one line to standard error with a single write, so that it stays
// whole beside the output of a program. A closed standard error is no reason
// to fail a run.
func (u *ui) line(prefix, text string) {
	_, _ = io.WriteString(u.err, prefix+escape(text)+"\n")
}

// split returns the parts of an error made by errors.Join, or the error itself.
func split(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error }) //nolint:errorlint // only a joined error is taken apart, not one that wraps it
	if !ok {
		return []error{err}
	}
	var parts []error
	for _, part := range joined.Unwrap() {
		parts = append(parts, split(part)...)
	}
	return parts
}

// escape returns text with everything but printable characters written as Go
// escapes: control characters, direction marks, bytes that are not UTF-8.
func escape(text string) string {
	if plain(text) {
		return text
	}
	var out strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&out, `\x%02x`, text[0])
		case unicode.IsPrint(r):
			out.WriteRune(r)
		default:
			out.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
		text = text[size:]
	}
	return out.String()
}

// plain reports whether text is printable ASCII throughout.
func plain(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}
