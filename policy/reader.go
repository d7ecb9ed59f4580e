package policy

import (
	"errors"
	"fmt"

	"github.com/pysandbox/pysandbox/policy/document"
)

// reader adds layers to a policy, one file or flag at a time, and collects the
// mistakes in them.
type reader struct {
	policy     *Policy
	vocabulary vocabulary
	errs       []*Error

	file      string // as messages name it; empty while flags are read
	dir       string // what relative paths are relative to
	at        Place  // of a flag, a variable or a line of --env-file; empty while a file is read
	replacing bool   // within [replace]
}

func newReader() *reader {
	return &reader{policy: &Policy{Origins: make(Origins, 64)}, vocabulary: settings()}
}

func (r *reader) origins() Origins { return r.policy.Origins }

func (r *reader) source(node *document.Node) source {
	return source{r.dir, Place{File: r.file, Line: node.Position.Line, Column: node.Position.Column}}
}

func (r *reader) flagSource() source { return source{r.dir, r.at} }

// fail reports that the value of a key is wrong, at the byte that is.
func (r *reader) fail(key string, node *document.Node, err error) {
	message, offset := explain(err, node.Text)
	r.report(&Error{Message: r.shown(key) + ": " + message, Nearest: nearestOf(err), NoInterpreter: isNoInterpreter(err)}, at(node, offset))
}

func at(node *document.Node, offset int) document.Position {
	if offset == 0 {
		return node.Position
	}
	return node.Offset(offset)
}

func (r *reader) failFlag(text string, err error) {
	message, _ := explain(err, text)
	r.errs = append(r.errs, &Error{Place: r.at, Message: message, Nearest: nearestOf(err), NoInterpreter: isNoInterpreter(err)})
}

func (r *reader) report(err *Error, position document.Position) {
	err.File, err.Line, err.Column = r.file, position.Line, position.Column
	r.errs = append(r.errs, err)
}

func nearestOf(err error) string {
	if unknown, ok := errors.AsType[*unknownName](err); ok {
		return unknown.nearest
	}
	if path, ok := errors.AsType[*unknownPath](err); ok {
		return path.nearest
	}
	return ""
}

// layer adds one file or preset.
func (r *reader) layer(l layer) {
	r.file, r.dir, r.at = l.name, l.dir, Place{}
	root := l.root
	if root.Kind != document.Table {
		r.report(&Error{Message: "expected a table of settings, found " + root.Kind.String()}, root.Position)
		return
	}
	if !l.truncated {
		r.version(root)
	}
	for _, entry := range root.Entries {
		switch entry.Key {
		case "version", "extends", "$schema": // read before the layers
		case "replace":
			r.replace(entry, root)
		default:
			r.entry("", entry)
		}
	}
}

func (r *reader) version(root *document.Node) {
	entry, found := root.Get("version")
	switch {
	case !found:
		r.report(&Error{Message: "version is missing: a policy says version = 1"}, document.Position{Line: 1, Column: 1})
	case entry.Value.Kind != document.Integer || entry.Value.Integer != 1:
		r.fail("version", entry.Value, wrongKind("1, the only version there is", entry.Value))
	}
}

// entry reads one key of the table at prefix ("" or "network.").
func (r *reader) entry(prefix string, entry document.Entry) {
	key := prefix + entry.Key
	if setting, found := r.vocabulary.find(key); found {
		if r.replacing && !setting.form.collects() {
			r.report(&Error{Message: fmt.Sprintf("replace.%s: only lists and tables are replaced; write %s itself", key, key)}, entry.Position)
			return
		}
		setting.form.read(r, key, entry.Value)
		return
	}
	if !r.vocabulary.isTable(key) {
		r.report(r.vocabulary.unknown(prefix, entry.Key, r.replacing), entry.Position)
		return
	}
	if entry.Value.Kind != document.Table {
		r.fail(key, entry.Value, wrongKind("a table", entry.Value))
		return
	}
	for _, inner := range entry.Value.Entries {
		r.entry(key+".", inner)
	}
}

// shown is the key as the file wrote it.
func (r *reader) shown(key string) string {
	if r.replacing {
		return "replace." + key
	}
	return key
}

// replace reads [replace], whose lists take the place of those below them.
func (r *reader) replace(entry document.Entry, root *document.Node) {
	if entry.Value.Kind != document.Table {
		r.fail("replace", entry.Value, wrongKind("a table", entry.Value))
		return
	}
	r.twice("", entry.Value, root)
	r.replacing = true
	defer func() { r.replacing = false }()
	for _, inner := range entry.Value.Entries {
		r.entry("", inner)
	}
}

// twice reports keys that a file both sets and replaces, because the order of
// the two would be a guess.
func (r *reader) twice(prefix string, replaced, set *document.Node) {
	for _, entry := range replaced.Entries {
		other, found := set.Get(entry.Key)
		if !found {
			continue
		}
		key := prefix + entry.Key
		if _, isSetting := r.vocabulary.find(key); isSetting {
			r.report(&Error{Message: fmt.Sprintf("replace.%s: %s is also set on line %d; write one of them", key, key, other.Position.Line)}, entry.Position)
			continue
		}
		r.twice(key+".", entry.Value, other.Value)
	}
}
