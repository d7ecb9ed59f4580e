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
	rules func(*table)
}

// layers returns every layer in the order in which tables show them.
func layers() []layer {
	return []layer{
		{"base", "start, compute, read and write open files, keep time", layerBase},
		{"threads", "start threads", layerThreads},
		{"ipc", "socket pairs, and traffic over sockets already held", layerIPC},
		{"files_write", "make, change and remove files", layerFilesWrite},
		{"subprocess", "fork, run other programs and wait for them", layerSubprocess},
		{"net", "make sockets and connect them, as the supervisor permits", layerNet},
		{"server", "bind, listen and accept inside the sandbox", layerServer},
		{"datagrams", "make local datagram sockets, where no directory of the host's is visible", layerDatagrams},
		{"numpy", "place memory on NUMA nodes", layerNumpy},
		{"sysv", "System V IPC and POSIX message queues", layerSysV},
		{"confine", "Landlock and seccomp filters of the program's own", layerConfine},
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

// expectedRules is somewhat more than all layers have.
const expectedRules = 600

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
	rules := table{make([]Rule, 0, expectedRules)}
	for _, l := range all {
		if slices.Contains(names, l.name) {
			l.rules(&rules)
		}
	}
	never(&rules)
	quietRefusals(&rules)
	return FilterSpec{Rules: trapsStand(rules.rules), Refused: ActExplain, RefusedErrno: errnoRefused}, nil
}

// trapsStand removes what simply allows a call where another rule traps it under
// the same conditions. Nothing else is in two layers; a test holds that.
func trapsStand(rules []Rule) []Rule {
	var traps []Rule
	for _, rule := range rules {
		if rule.Action == ActNotify {
			traps = append(traps, rule)
		}
	}
	return slices.DeleteFunc(rules, func(rule Rule) bool {
		if rule.Action != ActAllow {
			return false
		}
		for i := range traps {
			if traps[i].sameUse(&rule) {
				return true
			}
		}
		return false
	})
}

// sameUse reports whether two rules speak of the same call under the same
// conditions.
func (r *Rule) sameUse(other *Rule) bool {
	return r.Syscall == other.Syscall && slices.Equal(r.Conditions, other.Conditions)
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
