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
	Magic      string `json:"-"` // with which its bytecode begins, 4 bytes, or empty where it has none
	Closure
}
