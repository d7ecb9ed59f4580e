package main

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pysandbox/pysandbox/policy"
)

// refused reports why a command line is refused, on the terminal and in the report
// that the line asks for: the report of a run before must not be taken for the one of
// this.
func refused(cmd *cobra.Command, args []string, err error) error {
	if cmd.Name() != "exec" { // which alone writes one
		return err
	}
	environment := policy.ReadEnvironment(os.LookupEnv)
	asked := resultFlags{report: fileAsked(cmd.Flags(), args, flagReport)}
	report, _ := choose(asked.report, "", environment.Report, "")
	trail, _ := choose(fileAsked(cmd.Flags(), args, flagAudit), "", environment.Audit, "")
	if sameFile(report, trail) {
		return err // the report would take the place of the trail of earlier runs
	}
	out, failed := asked.open(policy.Environment{Report: environment.Report})
	if failed != nil {
		return errors.Join(err, failed)
	}
	if failed := out.finish(setupFailed(err)); failed != nil {
		return errors.Join(err, failed)
	}
	return err
}

// sameFile is whether two names lead to one regular file.
func sameFile(one, other string) bool {
	first, err := os.Stat(one)
	if err != nil || !first.Mode().IsRegular() {
		return false
	}
	second, err := os.Stat(other)
	return err == nil && os.SameFile(first, second)
}

// sameNewFile is whether two names that lead to nothing yet would lead to one file.
func sameNewFile(one, other string) bool {
	place := func(name string) string {
		directory, base := filepath.Split(name) // as written: a/../b may lie elsewhere than b
		directory, err := filepath.EvalSymlinks(cmp.Or(directory, "."))
		if _, there := os.Lstat(name); base == "" || strings.HasPrefix(name, "fd:") || there == nil || err != nil {
			return ""
		}
		absolute, _ := filepath.Abs(filepath.Join(directory, base))
		return absolute
	}
	return place(one) != "" && place(one) == place(other)
}

// fileAsked is the first value of a flag before the program's own words, or empty.
// Unlike the parser it goes on behind a flag that it does not know.
func fileAsked(flags *pflag.FlagSet, args []string, name string) string {
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
		if flag.Name == name {
			return value
		}
	}
	return ""
}
