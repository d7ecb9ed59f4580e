package main

import (
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"
)

// swallowed finds a program that a flag has taken for its value, as in
// `exec --allow-net job.py`: the last word of a line that names no program, if it is
// the value of the flag before it and is a Python script or begins like a flag. Without
// a word Python would read standard input in its place. certain is false where that
// may hold the program all the same.
func swallowed(cmd *cobra.Command, words, args []string) (problem error, certain bool) {
	if len(args) > 0 || cmd.ArgsLenAtDash() >= 0 || cmd.Flags().Changed(flagCode) || cmd.Flags().Changed(flagModule) {
		return nil, false
	}
	flag, value := lastValue(cmd.Flags(), words)
	like := len(value) > 1 && value[0] == '-' && strings.Trim(value, "-0123456789.") != ""
	if flag == nil || !like && !isScript(value) {
		return nil, false
	}
	kind, _ := pflag.UnquoteUsage(flag)
	return misuse(cmd.CommandPath()+" --"+flag.Name+"="+kind+" "+value,
			"no program is given: --%s has taken %s for its value", flag.Name, value),
		like || noInput()
}

// lastValue returns the last word of a line of flags if it is the value of the flag
// before it.
func lastValue(flags *pflag.FlagSet, words []string) (flag *pflag.Flag, value string) {
	for i := 0; i < len(words); i++ {
		found, attached := valueFlag(flags, words[i])
		if found == nil || attached {
			continue
		}
		if i++; i == len(words)-1 {
			return found, words[i]
		}
	}
	return nil, ""
}

func isScript(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular() && strings.HasSuffix(name, ".py")
}

// noInput is true where no program can come from standard input unless somebody
// types it.
func noInput() bool {
	if _, err := unix.IoctlGetTermios(0, unix.TCGETS); err == nil {
		return true
	}
	var input, null unix.Stat_t
	if unix.Fstat(0, &input) != nil {
		return true // closed
	}
	return unix.Stat(os.DevNull, &null) == nil && input.Mode&unix.S_IFMT == unix.S_IFCHR && input.Rdev == null.Rdev
}
