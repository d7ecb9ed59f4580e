package policy

import (
	"errors"
	"math"
	"strconv"

	"github.com/pysandbox/pysandbox/internal/netrule"
	"github.com/pysandbox/pysandbox/policy/document"
)

// syntax is how one kind of value is written: in a file, on the command line, in
// the JSON Schema and in the reference.
type syntax[T any] struct {
	noun   string                // what is expected, such as `a size such as "512MiB"`
	schema func() map[string]any // the JSON Schema of the value
	show   func(T) string        // as a TOML file would write it
	read   func(source, *document.Node) (T, error)
	flag   func(source, string) (T, error)
}

// source says where a value was written.
type source struct {
	dir   string // what relative paths in it are relative to
	place Place
}

// expected is an error that says what should have been written; the one who
// knows the text adds what was found.
type expected string

func (e expected) Error() string { return "expected " + string(e) }

// textSyntax is the syntax of values that are strings in a file and the same
// text on the command line.
func textSyntax[T any](noun string, parse func(source, string) (T, error), show func(T) string) syntax[T] {
	return syntax[T]{
		noun:   noun,
		schema: func() map[string]any { return map[string]any{"type": "string"} },
		show:   func(value T) string { return strconv.Quote(show(value)) },
		flag:   parse,
		read: func(from source, node *document.Node) (T, error) {
			if node.Kind != document.String {
				return zero[T](), wrongKind(noun, node)
			}
			return parse(from, node.Text)
		},
	}
}

func zero[T any]() T {
	var value T
	return value
}

func wrongKind(noun string, node *document.Node) error {
	found := node.Kind.String()
	switch node.Kind {
	case document.String:
		found = strconv.Quote(node.Text)
	case document.Float:
		if math.IsInf(node.Float, 0) || math.IsNaN(node.Float) {
			found = node.Text
		} else {
			found += " " + node.Text
		}
	case document.Integer:
		found += " " + node.Text
	default:
	}
	return errors.New("expected " + noun + ", found " + found)
}

// explain turns the error about a text into a message, and finds the byte of the
// text that it is about.
func explain(err error, text string) (message string, offset int) {
	if rule, ok := errors.AsType[*netrule.SyntaxError](err); ok {
		return rule.Problem(), rule.Offset
	}
	if want, ok := errors.AsType[expected](err); ok {
		return want.Error() + ", found " + strconv.Quote(text), 0
	}
	return err.Error(), 0
}
