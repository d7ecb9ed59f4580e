package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func newVersion(u *ui, _ *int) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			return u.printf("%s", versionLine())
		},
	}
}

// versionLine is what version and --version print.
func versionLine() string {
	return fmt.Sprintf("pysandbox %s %s/%s %s\n", version(), runtime.GOOS, runtime.GOARCH, runtime.Version())
}

// version is what the Go linker has recorded: the tag of a release, a
// pseudo-version of a build between releases, or "(devel)".
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

// noArguments refuses positional arguments in pysandbox's words.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return misuse(helpHint(cmd), "%s takes no arguments, got %q", cmd.Name(), args[0])
	}
	return nil
}
