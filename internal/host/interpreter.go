// Package host reads what this machine offers: interpreters and what they need
// to run, kernel features, limits, addresses. It never executes what it finds
// outside a sandbox.
package host

// Interpreter is one CPython and its closure: all that must be visible inside
// for it to start and to import its standard library and site-packages.
type Interpreter struct {
	Executable string // path to run inside; for a venv, the venv's own python
	Version    string // "3.12"
	Prefix     string // sys.base_prefix
	Venv       string // venv directory, or empty
	Closure
}

// Closure is a set of host paths that are needed together. Binds and Links are
// sorted by path, so that a directory stands before what lies in it; no bind
// and no link lies below another bind.
type Closure struct {
	Binds []Bind
	Links []Link
}

// Bind is one host file or directory that must appear at the same path inside,
// read-only.
type Bind struct {
	Path string // absolute, without symlinks on the host
	Exec bool   // may be mapped executable
}

// Link is a symlink that must exist inside so that a host path resolves as it
// does on the host.
type Link struct {
	Path   string
	Target string
}
