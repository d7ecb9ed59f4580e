package main

import (
	"context"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/pysandbox/pysandbox/audit"
	"github.com/pysandbox/pysandbox/plan"
	"github.com/pysandbox/pysandbox/policy"
	"github.com/pysandbox/pysandbox/supervisor"
)

// runProgram takes one command line of exec from the policy to the report. An
// error means that nothing was started.
func runProgram(cmd *cobra.Command, u *ui, program *programFlags, layer *policyFlags, out results, args []string) (*supervisor.Report, error) {
	begun := supervisor.Begin([3]int{0, 1, 2})
	defer begun.Close()
	around := lookAround()
	inv, err := program.invocation(cmd, args)
	if err != nil {
		return nil, err
	}
	compiled, pol, err := compile(layer, inv)
	if err != nil {
		return nil, err
	}
	begun.Ahead(compiled, around().groups)
	resolved, err := bind(compiled, out.files, around())
	if err != nil {
		return nil, pol.Origins.Locate(err)
	}
	if !u.quiet { // to look for what nobody hears takes a millisecond
		warnings, hint := concerned(warningsOf(resolved), pol)
		u.warnings(slices.Concat(policy.Unread(inv.Env), slips(pol), warnings))
		u.hint(hint)
	}
	options := supervisor.Options{Begun: begun, Cgroup: around().groups, Where: pol.Origins.Where}
	if err := resolved.Plan.CheckGrants(); err != nil {
		return nil, pol.Origins.Locate(err)
	}
	if options.Client, err = program.client(); err != nil {
		return nil, err
	}
	var trail *audit.Writer
	if out.audit != nil {
		trail = audit.NewWriter(out.audit, auditQueue, auditLimit)
		options.Audit = trail
	}
	unseen := func() string { return unseenModule(resolved) }
	// Root has rights that it gives up, and a program that can write could put another
	// file, a link or a pipe in the script's place.
	if os.Geteuid() == 0 || len(resolved.Plan.Files.Write) > 0 {
		hint := unseen()
		unseen = func() string { return hint }
	}
	report := supervisor.Run(context.Background(), resolved, options)
	u.verdict(report)
	if missedModule(report) {
		u.hint(unseen())
	}
	if trail != nil {
		if report.AuditIncomplete = incomplete(trail); report.AuditIncomplete != "" {
			u.warning(report.AuditIncomplete)
		}
	}
	return report, nil
}

// resolve makes the plan of an invocation and binds it to this host. kept are
// the files in which the account of the run is kept. An error about what the policy
// says names the place where it says so.
func resolve(layer *policyFlags, inv plan.Invocation, kept []account, around func() *surroundings) (*plan.Resolved, *policy.Policy, error) {
	compiled, pol, err := compile(layer, inv)
	if err != nil {
		return nil, nil, err
	}
	resolved, err := bind(compiled, kept, around())
	return resolved, pol, pol.Origins.Locate(err)
}

// compile makes the plan of an invocation.
func compile(layer *policyFlags, inv plan.Invocation) (*plan.Plan, *policy.Policy, error) {
	pol, err := layer.load(inv.Directory)
	if err != nil {
		return nil, nil, err
	}
	compiled, err := plan.Compile(pol, inv)
	return compiled, &pol, pol.Origins.Locate(err)
}

// bind resolves a plan on this host.
func bind(p *plan.Plan, kept []account, around *surroundings) (*plan.Resolved, error) {
	onHost, err := gather(p, kept, around)
	if err != nil {
		return nil, err
	}
	return plan.Resolve(p, onHost)
}
