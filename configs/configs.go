// Package configs holds the policies that ship with pysandbox. It only carries
// their text; package policy reads it.
package configs

import (
	"embed"
	"slices"
)

//go:embed *.toml
var files embed.FS

// Default is the preset in force when no policy names another.
const Default = "strict"

// Preset is a shipped policy.
type Preset struct {
	Name    string
	Summary string // one line, without a full stop
}

// Presets lists the shipped policies from the narrowest to the widest.
func Presets() []Preset {
	return []Preset{
		{"strict", "compute only: no network, no files beyond the interpreter, no other programs"},
		{"http-only", "strict, and TCP connections to port 80 of public addresses"},
		{"web-client", "strict, and TCP connections to ports 80 and 443 of public addresses"},
		{"worker", "a long-running service: more memory, processes and files, and other programs"},
	}
}

// Names lists the names of Presets, in the same order.
func Names() []string {
	var names []string
	for _, preset := range Presets() {
		names = append(names, preset.Name)
	}
	return names
}

// Read returns the TOML text of a preset, and whether there is one of that name.
func Read(name string) ([]byte, bool) {
	if !slices.Contains(Names(), name) {
		return nil, false
	}
	text, err := files.ReadFile(name + ".toml")
	return text, err == nil
}
