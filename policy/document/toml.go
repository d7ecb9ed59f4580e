package document

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// parseTOML builds the tree from the expressions of go-toml's parser, which
// checks the syntax. The rules on redefinition, which that parser leaves to its
// callers, are held here so that each breach has its own position.
func parseTOML(data []byte) (*Node, []*Error) {
	t := &tomlReader{lines: newLines(data), tables: map[*Node]origin{}}
	t.parser.Reset(data)
	root := newTable(Position{1, 1})
	t.tables[root] = fromHeader
	current := root
	for t.parser.NextExpression() {
		expression := t.parser.Expression()
		switch expression.Kind {
		case unstable.Table, unstable.ArrayTable:
			current = t.header(root, expression)
		case unstable.KeyValue:
			t.keyValue(current, expression)
		default:
		}
	}
	if err := t.parser.Error(); err != nil {
		t.errs = append(t.errs, t.syntaxError(err))
	}
	return root, t.errs
}

// origin says how a table came to be, which decides who may still add to it
// (TOML 1.0, "Table" and "Inline Table").
type origin uint8

const (
	implied    origin = iota + 1 // a parent of some [header]
	fromHeader                   // its own [header]
	fromDots                     // a parent in a dotted key
	inline                       // { }, closed
	listed                       // an array of tables; the Node is the Array
)

type tomlReader struct {
	parser unstable.Parser
	lines  lines
	tables map[*Node]origin
	errs   []*Error
}

func (t *tomlReader) report(at Position, format string, args ...any) {
	t.errs = append(t.errs, &Error{at, fmt.Sprintf(format, args...), false})
}

// syntaxError places an error of the parser. Its highlight is a part of the
// input, but for an error at the very end of an empty one.
func (t *tomlReader) syntaxError(err error) *Error {
	at := Position{1, 1}
	if syntax, ok := errors.AsType[*unstable.ParserError](err); ok && len(syntax.Highlight) > 0 {
		at = t.lines.at(int(t.parser.Range(syntax.Highlight).Offset))
	}
	return &Error{at, "not TOML: " + reason(err), true}
}

// reason is why the parser refuses a document. To a bare word that begins as a keyword
// does it says which one it expected, as nan for none.
func reason(err error) string {
	if text := err.Error(); !strings.HasPrefix(text, "expected keyword ") {
		return text
	}
	return "expected a value: a text stands in quotes, and true and false are written so"
}

func (t *tomlReader) position(key *unstable.Node) Position {
	return t.lines.at(int(key.Raw.Offset))
}

func keyParts(it unstable.Iterator) []*unstable.Node {
	var parts []*unstable.Node
	for it.Next() {
		parts = append(parts, it.Node())
	}
	return parts
}

// header opens the table that [a.b] or [[a.b]] names. After an error it opens a
// table that is not part of the tree.
func (t *tomlReader) header(root *Node, expression *unstable.Node) *Node {
	parts := keyParts(expression.Key())
	table := root
	for _, part := range parts[:len(parts)-1] {
		if table = t.descend(table, part, implied); table == nil {
			return newTable(t.position(part))
		}
	}
	last := parts[len(parts)-1]
	at := t.position(last)
	entry, found := table.Get(string(last.Data))
	if expression.Kind == unstable.ArrayTable {
		return t.listedTable(table, entry, found, string(last.Data), at)
	}
	if !found {
		return t.add(table, string(last.Data), at, fromHeader)
	}
	if t.tables[entry.Value] != implied {
		t.duplicate(entry, at)
		return newTable(at)
	}
	t.tables[entry.Value] = fromHeader
	return entry.Value
}

// listedTable appends a table to an array of tables.
func (t *tomlReader) listedTable(parent *Node, entry Entry, found bool, key string, at Position) *Node {
	list := entry.Value
	if !found {
		list = &Node{Kind: Array, Position: at}
		t.tables[list] = listed
		parent.Entries = append(parent.Entries, Entry{key, at, list})
	} else if t.tables[list] != listed {
		t.duplicate(entry, at)
		return newTable(at)
	}
	table := newTable(at)
	t.tables[table] = fromHeader
	list.Items = append(list.Items, table)
	return table
}

// keyValue sets one key, whose dots lead through tables.
func (t *tomlReader) keyValue(table *Node, expression *unstable.Node) {
	parts := keyParts(expression.Key())
	for _, part := range parts[:len(parts)-1] {
		if table = t.descend(table, part, fromDots); table == nil {
			return
		}
	}
	last := parts[len(parts)-1]
	at := t.position(last)
	if entry, found := table.Get(string(last.Data)); found {
		t.duplicate(entry, at)
		return
	}
	value := t.value(expression.Value(), t.valueStart(last))
	table.Entries = append(table.Entries, Entry{string(last.Data), at, value})
}

// valueStart finds where a value begins: after the "=" that follows its key.
// The parser tells it for scalars only.
func (t *tomlReader) valueStart(key *unstable.Node) Position {
	data := t.parser.Data()
	offset := int(key.Raw.Offset + key.Raw.Length)
	for offset < len(data) && strings.IndexByte(" \t=", data[offset]) >= 0 {
		offset++
	}
	return t.lines.at(offset)
}

// descend enters the table of a key, making it if need be. It reports and
// returns nil where the key may not be entered.
func (t *tomlReader) descend(table *Node, key *unstable.Node, how origin) *Node {
	at := t.position(key)
	entry, found := table.Get(string(key.Data))
	if !found {
		return t.add(table, string(key.Data), at, how)
	}
	switch was := t.tables[entry.Value]; {
	case was == listed && how == implied:
		return entry.Value.Items[len(entry.Value.Items)-1]
	case was == fromDots, how == implied && (was == implied || was == fromHeader):
		return entry.Value
	}
	t.duplicate(entry, at)
	return nil
}

func (t *tomlReader) add(parent *Node, key string, at Position, how origin) *Node {
	table := newTable(at)
	t.tables[table] = how
	parent.Entries = append(parent.Entries, Entry{key, at, table})
	return table
}

func (t *tomlReader) duplicate(first Entry, at Position) {
	t.report(at, "%q is already set on line %d", first.Key, first.Position.Line)
}

// value converts a value; at is its place where the parser gives none.
func (t *tomlReader) value(node *unstable.Node, at Position) *Node {
	if node.Raw.Length > 0 {
		at = t.lines.at(int(node.Raw.Offset))
	}
	value := &Node{Position: at, Text: string(node.Data)}
	switch node.Kind {
	case unstable.String:
		value.Kind = String
		raw := t.parser.Raw(node.Raw)
		value.Verbatim = len(raw) == len(node.Data)+2 && string(raw[1:len(raw)-1]) == value.Text
	case unstable.Bool:
		value.Kind, value.Boolean = Boolean, value.Text == "true"
	case unstable.Integer:
		t.integer(value)
	case unstable.Float:
		t.float(value)
	case unstable.Array:
		value.Kind = Array
		for it := node.Children(); it.Next(); {
			value.Items = append(value.Items, t.value(it.Node(), at))
		}
	case unstable.InlineTable:
		value.Kind = Table
		t.tables[value] = inline
		for it := node.Children(); it.Next(); {
			t.keyValue(value, it.Node())
		}
		t.close(value)
	default:
		value.Kind = Time
	}
	return value
}

// close shuts the tables that dotted keys made within an inline table.
func (t *tomlReader) close(table *Node) {
	for _, entry := range table.Entries {
		if t.tables[entry.Value] == fromDots {
			t.tables[entry.Value] = inline
			t.close(entry.Value)
		}
	}
}

func (t *tomlReader) integer(value *Node) {
	value.Kind = Integer
	number, err := strconv.ParseInt(strings.ReplaceAll(value.Text, "_", ""), 0, 64)
	if err != nil {
		t.report(value.Position, "%s does not fit in 64 bits", value.Text)
	}
	value.Integer = number
}

func (t *tomlReader) float(value *Node) {
	value.Kind = Float
	number, err := strconv.ParseFloat(strings.ReplaceAll(value.Text, "_", ""), 64)
	if err != nil {
		t.report(value.Position, "%s is out of range", value.Text)
	}
	value.Float = number
}
