package policy

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pysandbox/pysandbox/policy/document"
)

// form is the shape of one setting: how it is read from a file or a flag into a
// policy, how layers of it combine, and how it is described.
type form interface {
	read(r *reader, key string, node *document.Node) // adds to the policy, or reports
	flag(r *reader, key, text string)                // the same with the text of a flag
	collects() bool                                  // layers append, so that replace makes sense
	noun() string
	schema() map[string]any
	show(p *Policy) string // as a TOML file would write it
}

// scalar is a setting of one value; a later layer overrides it.
type scalar[T any] struct {
	field func(*Policy) *T
	value syntax[T]
}

func (f scalar[T]) read(r *reader, key string, node *document.Node) {
	value, err := f.value.read(r.source(node), node)
	if err != nil {
		r.fail(key, node, err)
		return
	}
	f.set(r, key, value, r.source(node))
}

// set overrides what the layers below say, and remembers where this was written.
func (f scalar[T]) set(r *reader, key string, value T, from source) {
	*f.field(r.policy) = value
	r.origins()[key] = from.place
}

func (f scalar[T]) flag(r *reader, key, text string) {
	value, err := f.value.flag(r.flagSource(), text)
	if err != nil {
		r.failFlag(text, err)
		return
	}
	f.set(r, key, value, r.flagSource())
}

func (f scalar[T]) collects() bool         { return false }
func (f scalar[T]) noun() string           { return f.value.noun }
func (f scalar[T]) schema() map[string]any { return f.value.schema() }
func (f scalar[T]) show(p *Policy) string  { return f.value.show(*f.field(p)) }

// list is a setting of many values; a later layer appends to it.
type list[T any] struct {
	field func(*Policy) *[]T
	item  syntax[T]
}

func (f list[T]) read(r *reader, key string, node *document.Node) {
	if node.Kind != document.Array {
		r.fail(key, node, wrongKind(f.noun(), node))
		return
	}
	if r.replacing {
		*f.field(r.policy) = nil
	}
	for i, item := range node.Items {
		value, err := f.item.read(r.source(item), item)
		if err != nil {
			r.fail(Item(key, i), item, err)
			continue
		}
		f.add(r, key, value, r.source(item))
	}
}

// add appends a value and remembers where it came from.
func (f list[T]) add(r *reader, key string, value T, from source) {
	values := f.field(r.policy)
	r.origins()[Item(key, len(*values))] = from.place
	*values = append(*values, value)
}

func (f list[T]) flag(r *reader, key, text string) {
	value, err := f.item.flag(r.flagSource(), text)
	if err != nil {
		r.failFlag(text, err)
		return
	}
	f.add(r, key, value, r.flagSource())
}

func (f list[T]) collects() bool { return true }
func (f list[T]) noun() string   { return "a list, each item " + f.item.noun }

func (f list[T]) schema() map[string]any {
	return map[string]any{"type": "array", "items": f.item.schema()}
}

func (f list[T]) show(p *Policy) string { return showList(*f.field(p), f.item.show) }

func showList[T any](values []T, show func(T) string) string {
	texts := make([]string, len(values))
	for i, value := range values {
		texts[i] = show(value)
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

// table is a setting of values by name; a later layer adds names and overrides
// those that are there.
type table struct {
	field func(*Policy) *map[string]string
	name  syntax[string]
	value syntax[string]
}

func (f table) read(r *reader, key string, node *document.Node) {
	if node.Kind != document.Table {
		r.fail(key, node, wrongKind(f.noun(), node))
		return
	}
	if r.replacing {
		*f.field(r.policy) = nil
	}
	for _, entry := range node.Entries {
		name, err := f.name.flag(r.source(entry.Value), entry.Key)
		if err != nil {
			message, _ := explain(err, entry.Key)
			r.report(&Error{Message: r.shown(key) + ": " + message, Nearest: nearestOf(err)}, entry.Position)
			continue
		}
		value, err := f.value.read(r.source(entry.Value), entry.Value)
		if err != nil {
			r.fail(key+"."+entry.Key, entry.Value, err)
			continue
		}
		f.set(r, key, name, value, r.source(entry.Value))
	}
}

func (f table) set(r *reader, key, name, value string, from source) {
	values := f.field(r.policy)
	if *values == nil {
		*values = map[string]string{}
	}
	(*values)[name] = value
	r.origins()[key+"."+name] = from.place
}

// flag reads "NAME=VALUE".
func (f table) flag(r *reader, key, text string) {
	name, value, found := strings.Cut(text, "=")
	if !found {
		r.failFlag(text, expected(`NAME=VALUE`))
		return
	}
	_, nameErr := f.name.flag(r.flagSource(), name)
	_, valueErr := f.value.flag(r.flagSource(), value)
	if err := errors.Join(nameErr, valueErr); err != nil {
		r.failFlag(text, err)
		return
	}
	f.set(r, key, name, value, r.flagSource())
}

func (f table) collects() bool { return true }
func (f table) noun() string   { return "a table of " + f.value.noun + " by " + f.name.noun }

func (f table) schema() map[string]any {
	return map[string]any{"type": "object", "propertyNames": f.name.schema(), "additionalProperties": f.value.schema()}
}

func (f table) show(p *Policy) string {
	values := *f.field(p)
	if len(values) == 0 {
		return "{}"
	}
	var texts []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		texts = append(texts, fmt.Sprintf("%s = %s", name, f.value.show(values[name])))
	}
	return "{ " + strings.Join(texts, ", ") + " }"
}
