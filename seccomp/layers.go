package seccomp

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// layer is a named group of rules. Layers only add: a filter with one more layer
// lets through all that it let through before, but that a trap of one layer
// stands where another simply allows.
type layer struct {
	name  string
	about string
	rules []Rule
}

// layers returns every layer in the order in which tables show them.
func layers() []layer {
	return []layer{
		layerBase(), layerThreads(), layerIPC(), layerFilesWrite(), layerSubprocess(),
		layerNet(), layerServer(), layerNumpy(), layerSysV(), layerConfine(),
	}
}

// LayerNames returns the name of every layer and what it is for, in the order in
// which tables show them.
func LayerNames() []struct{ Name, About string } {
	var names []struct{ Name, About string }
	for _, l := range layers() {
		names = append(names, struct{ Name, About string }{l.name, l.about})
	}
	return names
}

// Layers returns the filter that the named layers amount to, whatever their order
// and however often one is named. Known calls of no named layer are refused with
// EPERM and a record. An unknown name is an error that names the nearest one.
func Layers(names ...string) (FilterSpec, error) {
	all := layers()
	var problems []error
	for _, name := range names {
		if findLayer(all, name) == nil {
			problems = append(problems, unknownLayer(all, name))
		}
	}
	if len(problems) > 0 {
		return FilterSpec{}, errors.Join(problems...)
	}
	rules := newRuleSet()
	for _, l := range all {
		if slices.Contains(names, l.name) {
			rules.add(l.rules)
		}
	}
	rules.addMissing(never())
	rules.addMissing(quietRefusals())
	return FilterSpec{Rules: rules.list, Refused: ActExplain, RefusedErrno: errnoRefused}, nil
}

func findLayer(all []layer, name string) *layer {
	i := slices.IndexFunc(all, func(l layer) bool { return l.name == name })
	if i < 0 {
		return nil
	}
	return &all[i]
}

func unknownLayer(all []layer, name string) error {
	known := layerNames(all)
	return fmt.Errorf("unknown syscall layer %q%s; layers are %s", name, didYouMean(name, known), strings.Join(known, ", "))
}

func layerNames(all []layer) []string {
	var names []string
	for _, l := range all {
		names = append(names, l.name)
	}
	return names
}
