// Package document reads TOML and JSON into one tree in which every key and
// every value knows where it stands. It knows nothing of what the keys mean.
package document

import (
	"bytes"
	"fmt"
)

// Kind is the type of a value. The zero value is none.
type Kind uint8

// The types that TOML and JSON share, and the two that only one of them has.
const (
	String Kind = iota + 1
	Integer
	Float
	Boolean
	Array
	Table
	Time // TOML's dates and times
	Null // JSON's null
)

// String names the type as a message would, with its article.
func (k Kind) String() string {
	switch k {
	case String:
		return "a string"
	case Integer:
		return "an integer"
	case Float:
		return "a number with a fraction"
	case Boolean:
		return "a boolean"
	case Array:
		return "a list"
	case Table:
		return "a table"
	case Time:
		return "a date or time"
	case Null:
		return "null"
	default:
		return "nothing"
	}
}

// Position is a place in a file. Both count from 1, columns in bytes.
type Position struct{ Line, Column int }

// Before orders positions by their place in the file.
func (p Position) Before(other Position) bool {
	return p.Line < other.Line || p.Line == other.Line && p.Column < other.Column
}

// Node is one value.
type Node struct {
	Kind     Kind
	Position Position
	Text     string // a String's value, or a number or time as written
	Verbatim bool   // the String stands in the file byte for byte, after one quote
	Integer  int64
	Float    float64
	Boolean  bool
	Items    []*Node // of an Array
	Entries  []Entry // of a Table, in the order of first mention
}

// Entry is one key of a table with its value.
type Entry struct {
	Key      string
	Position Position // of the key where it was first written
	Value    *Node
}

// Get returns the entry of a table by its key.
func (n *Node) Get(key string) (Entry, bool) {
	for _, entry := range n.Entries {
		if entry.Key == key {
			return entry, true
		}
	}
	return Entry{}, false
}

// Offset is the place of a byte within a string's value, or the string's own
// place where escapes make the bytes uncountable.
func (n *Node) Offset(bytes int) Position {
	if !n.Verbatim {
		return n.Position
	}
	return Position{n.Position.Line, n.Position.Column + 1 + bytes}
}

// Error is one thing that makes a text no document, or an ambiguous one.
type Error struct {
	Position Position
	Message  string
	Syntax   bool // nothing after Position was read
}

// Error gives the position and the message.
func (e *Error) Error() string {
	return fmt.Sprintf("%d:%d: %s", e.Position.Line, e.Position.Column, e.Message)
}

// lines turns byte offsets into positions.
type lines struct{ starts []int }

func newLines(data []byte) lines {
	starts := make([]int, 1, bytes.Count(data, []byte{'\n'})+1)
	for i, c := range data {
		if c == '\n' {
			starts = append(starts, i+1)
		}
	}
	return lines{starts}
}

func (l lines) at(offset int) Position {
	low, high := 0, len(l.starts)
	for high-low > 1 {
		if middle := (low + high) / 2; l.starts[middle] <= offset {
			low = middle
		} else {
			high = middle
		}
	}
	return Position{low + 1, offset - l.starts[low] + 1}
}
