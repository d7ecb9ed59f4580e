package main

import (
	"github.com/spf13/cobra"

	"github.com/pysandbox/pysandbox/supervisor"
)

func newCheck(u *ui, status *int) *cobra.Command {
	return &cobra.Command{
		Use:     "check FILE...",
		Short:   "Validate policy files",
		Long:    checkLong,
		Example: "  pysandbox check /etc/pysandbox/*.toml",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return misuse("pysandbox check FILE...", "check needs a policy file")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			for _, file := range args {
				if err := checkFile(u, file); err != nil {
					u.failure(err)
					*status = supervisor.ExitSetup
				}
			}
			return nil
		},
		DisableFlagsInUseLine: true,
	}
}

const checkLong = `Read policy files, with the presets and files that they extend, and report every
error with its file, line and column. Nothing is run, and the host is not asked
what it can enforce; that is what explain and doctor do.`

func checkFile(u *ui, file string) error {
	if err := validatePolicy(file); err != nil {
		return err
	}
	return u.printf("%s: ok\n", escape(file))
}
