package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pysandbox/pysandbox/internal/nearest"
	"github.com/pysandbox/pysandbox/policy"
	"github.com/pysandbox/pysandbox/supervisor"
)

// failure is a reason to run nothing, with what would help and the exit status
// it amounts to.
type failure struct {
	problem string
	hint    string
	status  int   // 0 means supervisor.ExitSetup
	cause   error // the error whose text problem is, or nil
}

func (f *failure) Error() string { return f.problem }

// Unwrap returns the cause.
func (f *failure) Unwrap() error { return f.cause }

// Hint is what would help, or empty.
func (f *failure) Hint() string { return f.hint }

// misuse is a failure for which the command line is to blame.
func misuse(hint, format string, args ...any) error {
	return &failure{problem: fmt.Sprintf(format, args...), hint: hint}
}

// failureStatus is the exit status of an error that kept everything from
// running.
func failureStatus(err error) int {
	if f, ok := errors.AsType[*failure](err); ok && f.status != 0 {
		return f.status
	}
	if e, ok := errors.AsType[*policy.Error](err); ok && e.NoInterpreter {
		return supervisor.ExitNotFound
	}
	return supervisor.ExitSetup
}

// flagError puts an error of the flag parser into pysandbox's words.
func flagError(cmd *cobra.Command, err error) error {
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		return unknownFlag(cmd, unknown)
	}
	if empty, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		name := flagName(empty.GetFlag(), empty.GetSpecifiedShortnames() != "")
		return misuse(valueHint(empty.GetFlag()), "%s needs a value", name)
	}
	if bad, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		name := flagName(bad.GetFlag(), bad.GetFlag().Shorthand != "")
		switch {
		case errors.Is(err, errEmpty):
			return misuse(valueHint(bad.GetFlag()), "%s: %v; the variable that it was made from may not be set", name, errEmpty)
		case errors.Is(err, errTwice):
			return misuse(onceHint(bad.GetFlag().Name), "%s: %v", name, errTwice)
		}
		if bad.GetFlag().NoOptDefVal == "true" {
			return misuse(helpHint(cmd), "--%s takes no value", bad.GetFlag().Name)
		}
		return misuse(valueHint(bad.GetFlag()), "--%s: %q: %v", bad.GetFlag().Name, bad.GetValue(), bad.Unwrap())
	}
	return misuse(helpHint(cmd), "%s", err)
}

func unknownFlag(cmd *cobra.Command, unknown *pflag.NotExistError) error {
	name := unknown.GetSpecifiedName()
	if group := unknown.GetSpecifiedShortnames(); group != "" {
		return unknownLetter(cmd, name, group)
	}
	if exec := execOf(cmd); exec != nil && exec.Flags().Lookup(name) != nil {
		return misuse("it follows the command: pysandbox exec --"+name, "unknown flag --%s", name)
	}
	var known []string
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if !flag.Hidden {
			known = append(known, flag.Name)
		}
	})
	hint := helpHint(cmd)
	if near := nearest.Name(name, known); near != "" {
		hint = "did you mean --" + near + "?"
	}
	return misuse(hint, "unknown flag --%s", name)
}

// unknownLetter is the error about a flag of one letter, in the group that was written.
func unknownLetter(cmd *cobra.Command, letter, group string) error {
	word, _, _ := strings.Cut(group, "=")
	hint := helpHint(cmd)
	switch exec := execOf(cmd); {
	case len(word) > 1 && cmd.Flags().Lookup(word) != nil:
		hint = "did you mean --" + word + "?"
	case cmd.Flags().Lookup(flagCode) != nil:
		hint = "options of Python itself follow the command form: pysandbox exec -- python3 -" + letter + " script.py"
	case exec != nil && exec.Flags().ShorthandLookup(letter) != nil:
		hint = "it follows the command: pysandbox exec -" + letter
	}
	return misuse(hint, "unknown flag -%s", letter)
}

// execOf is the command exec where cmd is pysandbox without a command, or nil.
func execOf(cmd *cobra.Command) *cobra.Command {
	if cmd.HasParent() {
		return nil
	}
	for _, child := range cmd.Commands() {
		if child.Name() == "exec" {
			return child
		}
	}
	return nil
}

func flagName(flag *pflag.Flag, short bool) string {
	if short {
		return "-" + flag.Shorthand
	}
	return "--" + flag.Name
}

// valueHint shows a flag with the kind of value that it takes.
func valueHint(flag *pflag.Flag) string {
	kind, usage := pflag.UnquoteUsage(flag)
	if flag.Shorthand != "" {
		return fmt.Sprintf("-%s %s: %s", flag.Shorthand, kind, usage)
	}
	return fmt.Sprintf("--%s=%s: %s", flag.Name, kind, usage)
}

// onceHint says how two files are had where a flag names one.
func onceHint(flag string) string {
	if flag == "policy" {
		return `one policy may rest on another: extends = "other.toml"`
	}
	return "the file can be copied after the run"
}

func helpHint(cmd *cobra.Command) string {
	return cmd.CommandPath() + " --help lists the flags"
}
