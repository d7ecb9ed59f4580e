// Package prebuilt holds the compiled filters of the usual sets of layers, so
// that a start need not compile one. It compiles nothing: what it does not have,
// somebody else must.
package prebuilt

import (
	"embed"

	"github.com/pysandbox/pysandbox/seccomp"
)

// The sets are those that a policy leads to by itself: base, ipc, files_write,
// net, server and numpy always, and each choice of threads, subprocess,
// datagrams, sysv and confine besides.
//
//go:generate go test . -run ^TestFiltersAreCurrent$ -update

// filters holds one file per set of layers: an array of struct sock_filter.
//
//go:embed filters/*.bpf
var filters embed.FS

// Lookup returns the compiled filter of a spec, and false if it is none of those
// shipped.
func Lookup(spec seccomp.FilterSpec) (seccomp.Program, bool) {
	digest := spec.Digest()
	for _, filter := range index {
		if filter.digest == digest {
			return read(filter.file)
		}
	}
	return nil, false
}

func read(name string) (seccomp.Program, bool) {
	code, err := filters.ReadFile("filters/" + name + ".bpf")
	if err != nil {
		return nil, false
	}
	program, err := seccomp.ParseProgram(code)
	return program, err == nil
}

// Or returns a function that gives the shipped filter of a spec, and asks compile
// for every other.
func Or(compile func(seccomp.FilterSpec) (seccomp.Program, error)) func(seccomp.FilterSpec) (seccomp.Program, error) {
	return func(spec seccomp.FilterSpec) (seccomp.Program, error) {
		if program, found := Lookup(spec); found {
			return program, nil
		}
		return compile(spec)
	}
}
