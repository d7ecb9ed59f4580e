package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/pysandbox/pysandbox/policy"
	"github.com/pysandbox/pysandbox/supervisor"
)

func newExec(u *ui, status *int) *cobra.Command {
	var (
		program programFlags
		layer   policyFlags
		results resultFlags
	)
	cmd := &cobra.Command{
		Use:     "exec [flags] SCRIPT | -c CODE | -m MODULE | -- COMMAND [args]",
		Short:   "Run a program in a sandbox",
		Long:    execLong,
		Example: execExample,
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			out, err := results.open(policy.ReadEnvironment(os.LookupEnv))
			if err != nil {
				return errors.Join(err, out.finish(setupFailed(err)))
			}
			report, err := runProgram(cmd, u, &program, &layer, out, args)
			if err != nil {
				report = setupFailed(err)
			}
			*status = report.ExitCode
			if failed := out.finish(report); failed != nil {
				*status = supervisor.ExitSetup
				err = errors.Join(err, withOutcome(failed, report))
			}
			if err == nil {
				report.EndAsInterrupted()
			}
			return err
		},
		DisableFlagsInUseLine: true,
	}
	layer.register(cmd.Flags())
	program.register(cmd.Flags())
	program.registerClient(cmd.Flags())
	results.register(cmd.Flags())
	cmd.Flags().BoolVarP(&u.quiet, "quiet", "q", false, "say nothing but why a run could not start, and what its audit trail lacks")
	return cmd
}

// withOutcome adds to the loss of a report what it would have said first.
func withOutcome(lost error, report *supervisor.Report) error {
	if report.Outcome == supervisor.SetupFailed {
		return lost
	}
	return fmt.Errorf("%w; its outcome is %s and its exit_code %d", lost, report.Outcome, report.ExitCode)
}

const execLong = `Run a Python script, a piece of code, a module or another command in a sandbox.

Flags stop at the first word that is not one: what follows belongs to the
program. Without a program, Python reads standard input, as python3 does.

The policy is made of layers, each over the one before: the preset, the policy
file, PYSANDBOX_* variables, flags. Lists grow from layer to layer, and a deny
rule beats every allow rule.`

const execExample = `  pysandbox exec job.py
  pysandbox exec --preset=http-only --timeout=10s --memory=512M job.py input.csv
  pysandbox exec --allow-net=tcp://example.org:443 --allow-read=data job.py
  pysandbox exec --report=report.json -c 'print("hello")'
  pysandbox exec --python=.venv -m worker --verbose
  pysandbox exec -- python3 -X importtime job.py`
