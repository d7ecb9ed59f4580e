package network

import "testing"

// TestConnectionsThatNobodyAcceptsAreBounded makes ten thousand. Their memory is in
// no control group, and they have no descriptor.
func TestConnectionsThatNobodyAcceptsAreBounded(t *testing.T) {
	s := scene{
		program: "crowd", want: "None\nroom again", inside: "No buffer space available\nroom again",
		denied: []string{`connect tcp://127\.0\.0\.1:\d+ network\.inside ENOBUFS`},
	}
	s.run(t)
}
