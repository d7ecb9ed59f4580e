package main

import (
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pysandbox/pysandbox/internal/nearest"
)

// command is one row of the table of commands.
type command struct {
	name  string
	build func(u *ui, status *int) *cobra.Command
	// programFollows says that the command line of a program may follow the
	// flags, so that options for the program must be kept from the parser.
	programFollows bool
}

func commands() []command {
	return []command{
		{name: "exec", build: newExec, programFollows: true},
		{name: "check", build: newCheck},
		{name: "explain", build: newExplain, programFollows: true},
		{name: "doctor", build: newDoctor},
		{name: "version", build: newVersion},
		{name: "completion", build: newCompletion},
	}
}

// newRoot builds the tree of commands for one command line. A line that names
// its command gets that command alone: the others would only cost start-up
// time. status receives the exit status of a command that returns no error.
func newRoot(u *ui, status *int, args []string) *cobra.Command {
	root := &cobra.Command{
		Use:               "pysandbox",
		Short:             "Run Python programs in a sandbox",
		Long:              rootLong,
		Args:              cobra.ArbitraryArgs,
		SilenceErrors:     true,
		SilenceUsage:      true,
		TraverseChildren:  true, // a flag before exec would be read as its own, and so would be the program's
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		RunE:              func(_ *cobra.Command, args []string) error { return noCommand(args) },
	}
	root.SetOut(u.out)
	root.SetErr(u.err)
	root.SetFlagErrorFunc(flagError)
	root.SetUsageFunc(usageWith(root.UsageFunc()))
	root.SetArgs(args)

	for _, c := range commands() {
		if len(args) > 0 && args[0] == c.name {
			cmd := c.build(u, status)
			root.AddCommand(cmd)
			if c.programFollows {
				words := separate(cmd.Flags(), args[1:])
				root.SetArgs(append([]string{c.name}, words...))
				cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
					return refused(cmd, words, flagError(cmd, err))
				})
				if c.name != "exec" { // which alone reads a program from standard input
					return root
				}
				cmd.PreRunE = func(cmd *cobra.Command, args []string) error {
					problem, certain := swallowed(cmd, words, args)
					if problem != nil && certain {
						return refused(cmd, words, problem)
					}
					if problem != nil {
						u.warnings([]string{problem.Error() + "; the program is read from standard input"})
					}
					return nil
				}
			}
			return root
		}
	}

	for _, c := range commands() {
		root.AddCommand(c.build(u, status))
	}
	root.SetHelpCommand(newHelp(root))
	root.Version = version()
	root.SetVersionTemplate(versionLine())
	completeFlags(root)
	if len(args) > 0 && strings.HasPrefix(args[0], cobra.ShellCompRequestCmd) {
		describeFlags(root)
	}
	return root
}

const rootLong = `pysandbox runs Python programs in a sandbox. A program gets the files and the
network that were named, and nothing else; what it was denied, by which rule,
and what would allow it, is reported when it ends.`

// noCommand says what is missing on a line that names no command.
func noCommand(args []string) error {
	if len(args) == 0 {
		return misuse("pysandbox exec script.py runs a program; pysandbox --help lists the commands", "no command given")
	}
	hint := "pysandbox --help lists the commands"
	if near := nearest.Name(args[0], commandNames()); near != "" {
		hint = "did you mean pysandbox " + near + "?"
	} else if looksLikeScript(args[0]) {
		hint = "to run it: pysandbox exec " + strings.Join(args, " ")
	}
	return misuse(hint, "unknown command %s", args[0])
}

func commandNames() []string {
	var names []string
	for _, c := range commands() {
		names = append(names, c.name)
	}
	return append(names, "help")
}

func looksLikeScript(name string) bool {
	if strings.HasSuffix(name, ".py") {
		return true
	}
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}
