package main

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cpuguy83/go-md2man/v2/md2man"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

//go:generate go test -run ^TestManPages$ -update .

var update = flag.Bool("update", false, "write the generated files again")

// manDirectory holds, for each command, the generated page and beside it the
// sections that no flag can tell, as Markdown.
const manDirectory = "../../docs/man"

// TestManPages holds docs/man/*.1 to the commands and flags of the binary.
func TestManPages(t *testing.T) {
	root := newRoot(&ui{}, new(int), nil)
	root.InitDefaultHelpFlag()
	for _, cmd := range append([]*cobra.Command{root}, root.Commands()...) {
		name := strings.ReplaceAll(cmd.CommandPath(), " ", "-")
		page := filepath.Join(manDirectory, name+".1")
		want := manPage(t, cmd, name)
		if *update {
			if err := os.WriteFile(page, want, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		got, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("%s differs from the commands; run go generate ./cmd/pysandbox", page)
		}
	}
}

// manPage renders the page of one command.
func manPage(t *testing.T, cmd *cobra.Command, name string) []byte {
	t.Helper()
	var page strings.Builder
	fmt.Fprintf(&page, "%% %q \"1\" \"\" \"pysandbox\" \"User Commands\"\n", strings.ToUpper(name))
	fmt.Fprintf(&page, "# NAME\n%s - %s\n\n", name, lowerFirst(cmd.Short))
	page.WriteString("# SYNOPSIS\n")
	for line := range strings.SplitSeq(synopsis(cmd), "\n") {
		fmt.Fprintf(&page, "**%s**\n\n", line)
	}
	fmt.Fprintf(&page, "# DESCRIPTION\n%s\n\n", manText(cmd))
	if cmd.HasAvailableFlags() {
		cmd.InitDefaultHelpFlag()
		page.WriteString("# OPTIONS\n")
		cmd.LocalFlags().VisitAll(func(flag *pflag.Flag) { page.WriteString(manFlag(flag)) })
	}
	if cmd.HasAvailableSubCommands() {
		page.WriteString("# COMMANDS\n")
		for _, sub := range cmd.Commands() {
			fmt.Fprintf(&page, "**%s**(1)\n: %s\n\n", name+"-"+sub.Name(), sub.Short)
		}
	}
	page.WriteString(handWritten(t, name))
	if cmd.HasExample() {
		fmt.Fprintf(&page, "\n# EXAMPLES\n```\n%s\n```\n", cmd.Example)
	}
	fmt.Fprintf(&page, "\n# SEE ALSO\n%s\n", seeAlso(cmd))
	return md2man.Render([]byte(page.String()))
}

// synopsis has one line for each way to use a command.
func synopsis(cmd *cobra.Command) string {
	if !cmd.HasParent() {
		return "pysandbox COMMAND [flags] ..."
	}
	return cmd.UseLine()
}

// manText is the long description without the indentation that a terminal
// needs: an indented line becomes a literal one.
func manText(cmd *cobra.Command) string {
	text := cmd.Long
	if text == "" {
		text = cmd.Short + "."
	}
	return strings.ReplaceAll(text, "\n  ", "\n    ")
}

func manFlag(flag *pflag.Flag) string {
	kind, usage := pflag.UnquoteUsage(flag)
	name := "**--" + flag.Name + "**"
	switch {
	case flag.NoOptDefVal == spawnAny:
		name += "[=*" + kind + "*]"
	case kind != "":
		name += "=*" + kind + "*"
	}
	if flag.Shorthand != "" {
		short := "**-" + flag.Shorthand + "**"
		if kind != "" {
			short += " *" + kind + "*"
		}
		name = short + ", " + name
	}
	return name + "\n: " + usage + "\n\n"
}

func handWritten(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(manDirectory, name+".md"))
	if errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func seeAlso(cmd *cobra.Command) string {
	if !cmd.HasParent() {
		return "**python3**(1), **namespaces**(7), **landlock**(7), **seccomp**(2)"
	}
	pages := []string{"**pysandbox**(1)"}
	for _, other := range cmd.Parent().Commands() {
		if other != cmd {
			pages = append(pages, "**pysandbox-"+other.Name()+"**(1)")
		}
	}
	return strings.Join(pages, ", ")
}

func lowerFirst(text string) string { return strings.ToLower(text[:1]) + text[1:] }
