package main

import (
	"bytes"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pysandbox/pysandbox/configs"
)

func newCompletion(u *ui, _ *int) *cobra.Command {
	return &cobra.Command{
		Use:       "completion bash|zsh|fish",
		Short:     "Print a script that completes pysandbox in a shell",
		Long:      completionLong,
		ValidArgs: shells(),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return misuse("one of "+strings.Join(shells(), ", "), "completion needs the name of one shell")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch args[0] {
			case "bash":
				return bashCompletion(root, u.out)
			case "zsh":
				return root.GenZshCompletion(u.out)
			case "fish":
				return root.GenFishCompletion(u.out, true)
			}
			return misuse("one of "+strings.Join(shells(), ", "), "completion has no script for %q", args[0])
		},
		DisableFlagsInUseLine: true,
	}
}

// bashCompletion writes cobra's script, which without the package bash-completion would
// print an error of bash's at each TAB. File names are completed then.
func bashCompletion(root *cobra.Command, out io.Writer) error {
	var script bytes.Buffer
	if err := root.GenBashCompletionV2(&script, true); err != nil {
		return err
	}
	const call = "    _get_comp_words_by_ref "
	_, err := io.WriteString(out, strings.Replace(script.String(), call,
		"    declare -F _get_comp_words_by_ref >/dev/null || return 1\n"+call, 1))
	return err
}

const completionLong = `Print a script that completes commands, flags and their values.

  bash:  source <(pysandbox completion bash)
  zsh:   source <(pysandbox completion zsh)
  fish:  pysandbox completion fish | source

To load it in every session, write it to the shell's directory of completions:
/usr/share/bash-completion/completions/pysandbox for bash, a directory in fpath
as _pysandbox for zsh, ~/.config/fish/completions/pysandbox.fish for fish. That for
bash needs the package bash-completion, without which it completes file names alone.`

func shells() []string { return []string{"bash", "zsh", "fish"} }

// completeFlags teaches the commands below root which values their flags take.
// Flags without an entry complete to file names.
func completeFlags(root *cobra.Command) {
	for _, cmd := range root.Commands() {
		for name, values := range flagWords() {
			complete(cmd, name, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
		}
		complete(cmd, "env", completeVariable)
		complete(cmd, "allow-env", completeVariable)
		complete(cmd, "cwd", fileCompletion(cobra.ShellCompDirectiveFilterDirs))
		complete(cmd, "policy", fileCompletion(cobra.ShellCompDirectiveFilterFileExt, "toml", "json"))
	}
}

// describeFlags takes the quotes that mark a value's name from what flags are for:
// a shell shows the text as it is.
func describeFlags(root *cobra.Command) {
	for _, cmd := range root.Commands() {
		cmd.Flags().VisitAll(func(flag *pflag.Flag) { flag.Usage = strings.ReplaceAll(flag.Usage, "`", "") })
	}
}

// complete sets the completion of a flag, if cmd has it.
func complete(cmd *cobra.Command, flag string, fn cobra.CompletionFunc) {
	if cmd.Flags().Lookup(flag) != nil {
		_ = cmd.RegisterFlagCompletionFunc(flag, fn) // fails only for a flag that does not exist
	}
}

// flagWords are the words that a flag takes, or examples of its form. A flag
// with an empty list completes to nothing.
func flagWords() map[string][]string {
	return map[string][]string{
		"preset": presetWords(),
		"require": {
			"full\tnamespaces, Landlock, seccomp, limits",
			"container\tLandlock, seccomp, limits",
			"minimal\tLandlock and a fixed filter",
		},
		"format": {"text", "json", "oci", "bpf"},

		"allow-net": {"tcp://*:80", "tcp://*:443"},
		"timeout":   {"10s", "1m", "10m"},
		"cpu":       {"5s", "1m"},
		"memory":    {"256M", "512M", "2G"},
		"output":    {"1M", "16M"},

		"tmp-size":   {"64M", "1G"},
		"file-size":  {"64M", "1G"},
		"pids":       {"1", "64", "256"},
		"open-files": {"256", "1024"},

		"deny-net":      nil,
		"host-loopback": nil,
		"listen":        nil,
		"capabilities":  nil,
		"code":          nil,
		"module":        nil,
	}
}

func fileCompletion(directive cobra.ShellCompDirective, extensions ...string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return extensions, directive
	}
}

// completeVariable offers the names of the caller's environment variables.
func completeVariable(_ *cobra.Command, _ []string, prefix string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, line := range os.Environ() {
		if name, _, ok := strings.Cut(line, "="); ok && strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func presetWords() []string {
	var words []string
	for _, preset := range configs.Presets() {
		words = append(words, preset.Name+"\t"+preset.Summary)
	}
	return words
}
