package policy

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pysandbox/pysandbox/configs"
	"github.com/pysandbox/pysandbox/internal/nearest"
	"github.com/pysandbox/pysandbox/policy/document"
)

// maxDepth is how many policies may extend one another.
const maxDepth = 8

// layer is one file or preset before it is applied.
type layer struct {
	name string // as messages name it: the path as given, or "preset:NAME"
	key  string // what makes it the same layer: the absolute path, or the name
	dir  string // what its relative paths are relative to
	root *document.Node

	truncated bool // by an error of syntax, which has been reported
}

const presetPrefix = "preset:"

// presetLayer reads a shipped policy.
func presetLayer(name string) (layer, bool) {
	text, found := configs.Read(name)
	if !found {
		return layer{}, false
	}
	root, _ := document.Parse(name+".toml", text) // the tests hold that presets are valid
	return layer{name: presetPrefix + name, key: presetPrefix + name, dir: "/", root: root}, true
}

// fileLayer reads a file. The error is about the file as a whole; mistakes in it
// are reported to r.
func (r *reader) fileLayer(name, dir string) (layer, error) {
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, name)
	}
	data, err := readPolicyFile(path)
	if _, preset := configs.Read(name); preset && errors.Is(err, fs.ErrNotExist) {
		return layer{}, fmt.Errorf("read %s: %w; --preset=%s names the preset", name, unwrapPath(err), name)
	}
	if err != nil {
		return layer{}, fmt.Errorf("read %s: %w", printable(name), unwrapPath(err))
	}
	root, mistakes := document.Parse(path, data)
	l := layer{name: name, key: filepath.Clean(path), dir: filepath.Dir(path), root: root}
	for _, mistake := range mistakes {
		l.truncated = l.truncated || mistake.Syntax
		r.errs = append(r.errs, &Error{
			Place: Place{File: name, Line: mistake.Position.Line, Column: mistake.Position.Column}, Message: mistake.Message,
		})
	}
	return l, nil
}

// unwrapPath drops the path that the os package puts before an error, where the
// message names it already.
func unwrapPath(err error) error {
	if pathError, ok := errors.AsType[*fs.PathError](err); ok {
		return pathError.Err
	}
	return err
}

// chain gives the layers that a layer rests on, the base first, and the layer
// itself last.
func (r *reader) chain(top layer) []layer {
	layers := []layer{top}
	for {
		last := layers[len(layers)-1]
		next, found := r.extended(last)
		if !found {
			break
		}
		layers = append(layers, next)
		if at := slices.IndexFunc(layers[:len(layers)-1], func(l layer) bool { return l.key == next.key }); at >= 0 {
			r.failExtends(last, "a policy cannot extend itself: "+chainNames(layers[at:]))
			break
		}
		if len(layers) > maxDepth+1 {
			r.failExtends(last, fmt.Sprintf("policies extend one another more than %d deep: %s", maxDepth, chainNames(layers)))
			break
		}
	}
	slices.Reverse(layers)
	return layers
}

func chainNames(layers []layer) string {
	names := make([]string, len(layers))
	for i, l := range layers {
		names[i] = printable(l.name)
	}
	return strings.Join(names, " -> ")
}

// extended reads the layer that l extends, if it does.
func (r *reader) extended(l layer) (layer, bool) {
	entry, found := l.root.Get("extends")
	if !found {
		return layer{}, false
	}
	text := entry.Value.Text
	if entry.Value.Kind != document.String || text == "" {
		r.failExtends(l, `expected the name of a preset or a path, as one string`)
		return layer{}, false
	}
	if !strings.ContainsAny(text, "/.") {
		preset, known := presetLayer(text)
		if !known {
			r.failExtends(l, fmt.Sprintf("no preset is named %q (a path has a slash, as in %q)", text, "./"+text))
			r.errs[len(r.errs)-1].Nearest = nearest.Name(text, configs.Names())
		}
		return preset, known
	}
	name := text
	if !filepath.IsAbs(text) {
		name = filepath.Join(filepath.Dir(l.name), text)
	}
	next, err := r.fileLayer(text, l.dir)
	if err != nil {
		r.failExtends(l, err.Error())
		return layer{}, false
	}
	next.name = name
	return next, true
}

func (r *reader) failExtends(l layer, message string) {
	entry, _ := l.root.Get("extends")
	position := entry.Value.Position
	r.errs = append(r.errs, &Error{
		Place: Place{File: l.name, Line: position.Line, Column: position.Column}, Message: "extends: " + message,
	})
}
