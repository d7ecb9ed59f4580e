package main

// SEAM: what the rooms below will provide. Every function here fails, so that
// nothing runs unconfined, and goes away with the function that it stands for.

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/pysandbox/pysandbox/plan"
	"github.com/pysandbox/pysandbox/supervisor"
)

var errSeam = errors.New("this build lacks the rooms below the command line")

func diagnose(*ui, bool) (bool, error) { return false, errSeam }

func explain(*ui, string, *policyFlags, plan.Invocation) error { return errSeam }

func runProgram(cmd *cobra.Command, u *ui, program *programFlags, _ *policyFlags, _ results, args []string) (*supervisor.Report, error) {
	if _, err := program.invocation(cmd, args); err != nil {
		return nil, err
	}
	return nil, errSeam
}
