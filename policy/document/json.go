package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// parseJSON reads one JSON value. The standard library checks the syntax; the
// offsets of its decoder give the positions, and repeated keys are found here.
func parseJSON(data []byte) (*Node, []*Error) {
	j := &jsonReader{data: data, lines: newLines(data), decoder: json.NewDecoder(bytes.NewReader(data))}
	j.decoder.UseNumber()
	if err := j.check(); err != nil {
		return newTable(Position{1, 1}), []*Error{err}
	}
	return j.value(), j.errs
}

// jsonReader walks over a text that is known to be one JSON value, nested no
// deeper than encoding/json accepts (10,000).
type jsonReader struct {
	data    []byte
	lines   lines
	decoder *json.Decoder
	errs    []*Error
}

func (j *jsonReader) check() *Error {
	if !utf8.Valid(j.data) {
		return &Error{j.lines.at(invalidUTF8(j.data)), "not JSON: invalid UTF-8", true}
	}
	var value json.RawMessage
	err := json.Unmarshal(j.data, &value)
	if err == nil {
		return nil
	}
	at := Position{1, 1}
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok && syntax.Offset > 0 {
		at = j.lines.at(int(syntax.Offset) - 1)
	}
	return &Error{at, "not JSON: " + err.Error(), true}
}

// next is where the next token begins.
func (j *jsonReader) next() Position {
	offset := int(j.decoder.InputOffset())
	for offset < len(j.data) && strings.IndexByte(" \t\r\n,:", j.data[offset]) >= 0 {
		offset++
	}
	return j.lines.at(offset)
}

// token reads a token of the checked text, which cannot fail.
func (j *jsonReader) token() json.Token {
	token, _ := j.decoder.Token()
	return token
}

func (j *jsonReader) value() *Node {
	node := &Node{Position: j.next()}
	switch token := j.token().(type) {
	case string:
		j.text(node, token)
	case bool:
		node.Kind, node.Boolean = Boolean, token
	case json.Number:
		j.number(node, token)
	case json.Delim:
		if token == '[' {
			j.array(node)
		} else {
			j.object(node)
		}
	default:
		node.Kind = Null
	}
	return node
}

func (j *jsonReader) text(node *Node, value string) {
	node.Kind, node.Text = String, value
	end := int(j.decoder.InputOffset()) - 1
	start := end - len(value)
	node.Verbatim = start > 0 && string(j.data[start:end]) == value && j.lines.at(start-1) == node.Position
}

func (j *jsonReader) number(node *Node, number json.Number) {
	node.Text = number.String()
	if !strings.ContainsAny(node.Text, ".eE") {
		node.Kind = Integer
		value, err := number.Int64()
		if err != nil {
			j.errs = append(j.errs, &Error{node.Position, node.Text + " does not fit in 64 bits", false})
		}
		node.Integer = value
		return
	}
	node.Kind = Float
	value, err := number.Float64()
	if err != nil {
		j.errs = append(j.errs, &Error{node.Position, node.Text + " is out of range", false})
	}
	node.Float = value
}

func (j *jsonReader) array(node *Node) {
	node.Kind = Array
	for j.decoder.More() {
		node.Items = append(node.Items, j.value())
	}
	j.token()
}

func (j *jsonReader) object(node *Node) {
	node.Kind = Table
	for j.decoder.More() {
		at := j.next()
		key, _ := j.token().(string) // the syntax has no other key
		value := j.value()
		if first, found := node.Get(key); found {
			j.errs = append(j.errs, &Error{at, fmt.Sprintf("%q is already set on line %d", key, first.Position.Line), false})
			continue
		}
		node.Entries = append(node.Entries, Entry{key, at, value})
	}
	j.token()
}

func invalidUTF8(data []byte) int {
	offset := 0
	for offset < len(data) {
		r, size := utf8.DecodeRune(data[offset:])
		if r == utf8.RuneError && size <= 1 {
			break
		}
		offset += size
	}
	return offset
}
