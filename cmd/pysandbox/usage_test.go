package main

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Every flag is described in one line that names its value.
func TestFlagsAreDescribed(t *testing.T) {
	root := newRoot(&ui{}, new(int), nil)
	for _, cmd := range root.Commands() {
		if cmd.Short == "" || strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%s: short description %q", cmd.Name(), cmd.Short)
		}
		cmd.Flags().VisitAll(func(flag *pflag.Flag) {
			kind, usage := pflag.UnquoteUsage(flag)
			if flag.Value.Type() != "bool" && kind != strings.ToUpper(kind) {
				t.Errorf("%s --%s: the value is called %q", cmd.Name(), flag.Name, kind)
			}
			if usage == "" || strings.HasSuffix(usage, ".") || len(usage) > 100 {
				t.Errorf("%s --%s: described as %q", cmd.Name(), flag.Name, usage)
			}
		})
	}
}

// A line that names its command builds that command alone, and the whole tree
// has it with the same flags.
func TestOneCommandIsBuilt(t *testing.T) {
	whole := newRoot(&ui{}, new(int), nil)
	for _, c := range commands() {
		alone := newRoot(&ui{}, new(int), []string{c.name})
		if n := len(alone.Commands()); n != 1 {
			t.Errorf("%s: %d commands were built", c.name, n)
		}
		got, want := find(alone, c.name), find(whole, c.name)
		if got == nil || want == nil || got.Flags().FlagUsages() != want.Flags().FlagUsages() {
			t.Errorf("%s is not the same alone and in the tree", c.name)
		}
	}
}

func find(root *cobra.Command, name string) *cobra.Command {
	for _, cmd := range root.Commands() {
		if cmd.Name() == name {
			return cmd
		}
	}
	return nil
}

func TestEveryFlagOfExecCompletes(t *testing.T) {
	// Flags that take a path complete to file names without an entry.
	files := map[string]bool{
		"allow-read": true, "allow-write": true, "env-file": true, "python": true,
		"report": true, "audit": true, "allow-spawn": true,
	}
	root := newRoot(&ui{}, new(int), nil)
	cmd := find(root, "exec")
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		_, ok := cmd.GetFlagCompletionFunc(flag.Name)
		if wants := flag.Value.Type() != "bool" && !files[flag.Name]; ok != wants {
			t.Errorf("--%s: has a completion: %t, want %t", flag.Name, ok, wants)
		}
	})
}
