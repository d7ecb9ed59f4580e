package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/pysandbox/pysandbox/internal/host"
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
			around := lookAround()
			for _, file := range args {
				if err := checkFile(u, directory, file, around); err != nil {
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
error with its file, line and column. Nothing is run. A sound policy that exec
would refuse on this host gets a warning that says why: the file may be meant for
another one. What depends on the program, such as its path, or on the flags and
PYSANDBOX_* variables of a run, such as --python, is not known here; explain shows
that.`

// checkFile reads one policy as exec would. What only this host refuses is no
// mistake of the file's.
func checkFile(u *ui, directory, file string, around func() *surroundings) error {
	if file == "" {
		return misuse("", "the name of the policy file is empty; the variable that it was made from may not be set")
	}
	pol, doubts, err := policy.Check(file, directory)
	if err != nil {
		return err
	}
	inv := plan.Invocation{Kind: plan.RunInput, Directory: directory, Env: environment(os.Environ())}
	compiled, err := plan.Compile(pol, inv)
	if err != nil {
		return pol.Origins.Locate(err)
	}
	var (
		warnings []string
		hint     string
		wrong    []error
	)
	for _, doubt := range doubts {
		warnings = append(warnings, doubt.Error())
	}
	resolved, err := bind(compiled, nil, around())
	if err == nil {
		var told []string
		told, hint = concerned(warningsOf(resolved), &pol)
		warnings = append(warnings, told...)
	}
	for _, one := range split(pol.Origins.Locate(err)) {
		if errors.Is(one, host.ErrTooOld) || errors.Is(one, host.ErrNotCPython) {
			wrong = append(wrong, one) // no host would run it
			continue
		}
		warnings = append(warnings, refusedHere(file, one))
	}
	u.warnings(warnings)
	u.hint(hint)
	if len(wrong) > 0 {
		return errors.Join(wrong...)
	}
	return u.printf("%s: ok\n", escape(file))
}

// refusedHere is why only this host refuses a policy, with the place that the
// reason has, or else the file.
func refusedHere(file string, reason error) string {
	place, message := file, reason.Error()
	if placed, ok := errors.AsType[*policy.Error](reason); ok {
		at := placed.Place
		place, message = at.String(), placed.Message
	}
	return fmt.Sprintf("%s: exec refuses it on this host: %s", place, message)
}
