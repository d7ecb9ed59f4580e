package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/pysandbox/pysandbox/plan"
	"github.com/pysandbox/pysandbox/policy"
	"github.com/pysandbox/pysandbox/supervisor"
)

func newCheck(u *ui, status *int) *cobra.Command {
	return &cobra.Command{
		Use:     "check FILE...",
		Short:   "Validate policy files",
		Long:    checkLong,
		Example: "  pysandbox check /etc/pysandbox/*.toml",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return misuse("pysandbox check FILE...", "check needs a policy file")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			directory, err := workingDirectory()
			if err != nil {
				return err
			}
			for _, file := range args {
				if err := checkFile(u, directory, file); err != nil {
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

// checkFile reads one policy as exec would, up to where a host is asked.
func checkFile(u *ui, directory, file string) error {
	doubts, err := policy.Check(file, directory)
	if err != nil {
		return err
	}
	pol, err := policy.Load(policy.Options{File: file, Directory: directory})
	if err != nil {
		return err
	}
	if _, err := plan.Compile(pol, plan.Invocation{Kind: plan.RunInput, Directory: directory}); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	var texts []string
	for _, doubt := range doubts {
		texts = append(texts, doubt.Error())
	}
	u.warnings(texts)
	return u.printf("%s: ok\n", escape(file))
}
