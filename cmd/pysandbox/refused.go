package main

import (
	"errors"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pysandbox/pysandbox/policy"
)

// refused reports why a command line is refused, on the terminal and in the report
// that the line asks for: the report of a run before must not be taken for the one of
// this.
func refused(cmd *cobra.Command, args []string, err error) error {
	if cmd.Flags().Lookup(flagReport) == nil {
		return err
	}
	asked := resultFlags{report: reportAsked(cmd.Flags(), args)}
	out, failed := asked.open(policy.Environment{Report: policy.ReadEnvironment(os.LookupEnv).Report})
	if failed != nil {
		return errors.Join(err, failed)
	}
	if failed := out.finish(setupFailed(err)); failed != nil {
		return errors.Join(err, failed)
	}
	return err
}

// reportAsked is the first value of --report before the program's own words, or
// empty. Unlike the parser it goes on behind a flag that it does not know.
func reportAsked(flags *pflag.FlagSet, args []string) string {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if len(arg) < 2 || arg[0] != '-' || arg == "--" {
			return ""
		}
		flag, attached := valueFlag(flags, arg)
		if flag == nil {
			continue
		}
		_, value, _ := strings.Cut(arg, "=")
		if !attached {
			i++ // the next argument is its value
			value = strings.Join(args[min(i, len(args)):min(i+1, len(args))], "")
		}
		if flag.Name == flagReport {
			return value
		}
	}
	return ""
}
