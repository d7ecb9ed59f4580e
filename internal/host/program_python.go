package host

import "path/filepath"

// python makes visible what a program needs if that is a CPython: its library, and
// the virtual environment to whose bin it belongs. It is false for anything else.
// Where it may not claim what is its own, that shows only as far as every user can
// read it: a first line that somebody planted opens nothing.
func (b *builder) python(path string, claimed bool) (bool, error) {
	s, err := examine(b.tree, path, b.caller)
	if err != nil {
		return false, nil // a program like any other, and refused as such
	}
	p := pythonBuilder{builder: b, selection: s, unclaimed: !claimed}
	return true, p.build()
}

// beside says whether two programs lie in one directory, as the scripts of a
// virtual environment and its interpreter do.
func (b *builder) beside(script, interpreter string) bool {
	dir, err := b.tree.walk(filepath.Dir(interpreter))
	return err == nil && dir.path == filepath.Dir(script)
}
