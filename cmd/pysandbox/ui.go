package main

// This file holds every word that pysandbox says on a terminal. The rules:
//
//   - The program's own output is never touched.
//   - pysandbox's words go to standard error, one line each, behind the prefix
//     "pysandbox: ". No capital initial, no full stop. What would help follows
//     on a line of its own that begins with "hint: ".
//   - What was asked for (the output of check, explain, doctor and version)
//     goes to standard output without a prefix.
//   - A name that a program or a file may have chosen is escaped, so that it
//     can neither move the cursor nor forge a second line.
//   - --quiet drops everything but the reason for a failure, and what the account of a
//     run lacks.

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/pysandbox/pysandbox/audit"
	"github.com/pysandbox/pysandbox/supervisor"
)

// Every line of pysandbox's begins with prefix, so that it can be told from the
// program's and filtered.
const prefix = "pysandbox: "

// maxLine is the length in bytes to which the text of a line is cut.
const maxLine = 2048

// shownViolations is how many kinds of denied calls a terminal gets to see; the
// report has them all.
const shownViolations = 20

// ui is where pysandbox speaks.
type ui struct {
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
		for line := range strings.SplitSeq(one.Error(), "\n") { // of errors joined below
			u.line(escape(line))
		}
		if h, ok := errors.AsType[hinter](one); ok && h.Hint() != "" && !u.quiet {
			u.line("hint: " + escape(h.Hint()))
		}
	}
}

// warnings reports what did not keep the program from running.
func (u *ui) warnings(texts []string) {
	if u.quiet {
		return
	}
	for _, text := range texts {
		u.warning(text)
	}
}

// hint reports what would help with the warnings before it, if anything would.
func (u *ui) hint(text string) {
	if text != "" && !u.quiet {
		u.line("hint: " + escape(text))
	}
}

// warning is a warning that --quiet does not drop.
func (u *ui) warning(text string) { u.line("warning: " + escape(text)) }

// verdict says what the program did not see of its own run: what it was denied,
// which limits it met, and why it ended if not by itself.
func (u *ui) verdict(report *supervisor.Report) {
	failed := report.Outcome == supervisor.SetupFailed || report.Outcome == supervisor.Internal
	if u.quiet && !failed {
		return
	}
	// The lines are escaped and prefixed already.
	if !u.quiet {
		for _, line := range supervisor.FormatViolations(report, shownViolations) {
			u.write(line)
		}
	}
	for _, line := range supervisor.FormatOutcome(report) {
		u.write(line)
	}
}

// printf writes what was asked for. Its arguments are escaped by the caller.
func (u *ui) printf(format string, args ...any) error {
	_, err := fmt.Fprintf(u.out, format, args...)
	return err
}

func (u *ui) line(text string) { u.write(prefix + text) }

// write writes one line to standard error in a single call, so that it stays
// whole beside the output of a program. A closed standard error is no reason
// to fail a run.
func (u *ui) write(line string) { _, _ = io.WriteString(u.err, line+"\n") }

// split returns the parts of an error made by errors.Join, or the error itself.
// Only the join itself is taken apart, not an error that wraps one.
func split(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
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
// escapes, at a length that leaves a terminal readable.
func escape(text string) string { return string(audit.AppendText(nil, text, maxLine)) }
