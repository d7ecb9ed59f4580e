package main

import (
	"github.com/spf13/cobra"
)

func newDoctor(u *ui, status *int) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor [--json]",
		Short: "Show what this host offers, and how to get what it lacks",
		Long:  doctorLong,
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			full, err := diagnose(u, asJSON)
			if err == nil && !full {
				*status = 1
			}
			return err
		},
		DisableFlagsInUseLine: true,
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return cmd
}

const doctorLong = `Try every kernel feature that a sandbox needs, tier by tier, as this user on this
host, and print the exact fix for what is missing. The exit status is 0 when the
full tier is available and 1 when it is not.`
