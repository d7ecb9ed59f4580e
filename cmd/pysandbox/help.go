package main

import (
	"bytes"
	"slices"

	"github.com/spf13/cobra"
)

// newHelp is cobra's own command but for a name that is no command's, which is an
// error as it is without "help".
func newHelp(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Help about any command",
		Args:  cobra.ArbitraryArgs,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return commandNames(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 && !slices.Contains(commandNames(), args[0]) {
				return noCommand(args)
			}
			about, _, err := root.Find(args)
			if err != nil {
				return err
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	}
}

// usageWith writes the usage of a command with flags whose value may be left out as
// they are typed: the library writes --allow-spawn PROG[=any].
func usageWith(usage func(*cobra.Command) error) func(*cobra.Command) error {
	return func(cmd *cobra.Command) error {
		out := cmd.OutOrStderr()
		var text bytes.Buffer
		cmd.SetOut(&text)
		err := usage(cmd)
		cmd.SetOut(out)
		if err != nil {
			return err
		}
		const written, typed = "--allow-spawn PROG[=" + spawnAny + "]", "--allow-spawn[=PROG]    "
		_, err = out.Write(bytes.ReplaceAll(text.Bytes(), []byte(written), []byte(typed)))
		return err
	}
}
