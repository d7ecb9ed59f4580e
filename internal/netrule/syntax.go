package netrule

import (
	"fmt"
	"strconv"
)

// SyntaxError says where a rule stops being one and what could stand there.
type SyntaxError struct {
	Text     string // the whole rule
	Offset   int    // byte in Text at which Found begins
	Expected string // what could stand there, as a noun phrase
	Found    string // what stands there; empty at the end of the text
}

// Error gives the message on one line.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("rule %q, offset %d: %s", e.Text, e.Offset, e.Problem())
}

// Problem is the message without the rule and the offset, for callers that
// print a position of their own.
func (e *SyntaxError) Problem() string {
	if e.Found == "" {
		return "expected " + e.Expected + ", found nothing"
	}
	return "expected " + e.Expected + ", found " + strconv.Quote(e.Found)
}
