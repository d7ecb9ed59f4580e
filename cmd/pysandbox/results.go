package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/pysandbox/pysandbox/audit"
	"github.com/pysandbox/pysandbox/policy"
	"github.com/pysandbox/pysandbox/supervisor"
)

const (
	flagReport = "report"
	flagAudit  = "audit"
)

// resultFlags say where the account of a run goes.
type resultFlags struct{ report, audit string }

func (r *resultFlags) register(flags *pflag.FlagSet) {
	flags.Var((*file)(&r.report), flagReport, "write the report of the run to `FILE`, or to the open descriptor fd:N")
	flags.Var((*file)(&r.audit), flagAudit, "append each decision to `FILE`, or write it to the open descriptor fd:N")
}

// results are the opened destinations; nil where none was asked for.
type results struct {
	report *supervisor.Destination
	audit  *os.File
	files  []account // what the program must not reach
}

// open opens the destinations, so that a run whose account could not be kept
// does not start. A destination without a flag may come from the environment. With an
// error, what was opened already is returned too, to tell the error there.
func (r *resultFlags) open(env policy.Environment) (results, error) {
	var out results
	report, reportName := choose(r.report, "--report", env.Report, "PYSANDBOX_REPORT")
	trail, trailName := choose(r.audit, "--audit", env.Audit, "PYSANDBOX_AUDIT")
	oneFile := func() error {
		return misuse("give each a file of its own", "%s: %s is the file of %s too, and the report would take the place of the trail",
			reportName, report, trailName)
	}
	if sameNewFile(report, trail) {
		return results{}, oneFile() // before an empty one is made
	}
	var failed, err error
	if report != "" {
		if out.report, err = supervisor.OpenDestination(report); err != nil {
			return results{}, misuse(descriptorHint(flagReport, report), "%s: %v", reportName, err)
		}
		out.keep(report, "the report", out.report.File())
	}
	if trail != "" {
		if out.audit, err = supervisor.OpenAudit(trail); err != nil {
			out.audit = nil
			failed = misuse(descriptorHint(flagAudit, trail), "%s: %v", trailName, err)
		} else {
			out.keep(trail, "the audit trail", out.audit)
		}
	}
	if out.report == nil {
		return out, failed
	}
	if out.audit != nil && out.report.Replaces(out.audit) {
		return results{}, errors.Join(oneFile(), out.close())
	}
	if err := out.report.Begin(); err != nil {
		failed = errors.Join(misuse("", "%s: %v", reportName, err), failed, out.close())
		return results{}, failed
	}
	return out, failed
}

// named lists the files that open would open.
func (r *resultFlags) named(env policy.Environment) []account {
	var out results
	if report, _ := choose(r.report, "", env.Report, ""); report != "" {
		out.keep(report, "the report", nil)
	}
	if trail, _ := choose(r.audit, "", env.Audit, ""); trail != "" {
		out.keep(trail, "the audit trail", nil)
	}
	return out.files
}

// keep notes a destination, which file is if it is open.
func (r *results) keep(destination, what string, file *os.File) {
	kept := account{what: what, path: destination, file: file}
	if strings.HasPrefix(destination, "fd:") || strings.HasPrefix(destination, "/dev/") || strings.HasPrefix(destination, "/proc/") {
		kept.path = ""
	}
	r.files = append(r.files, kept)
}

// choose returns the value of a flag, or else of a variable, and its name.
func choose(flag, flagName, variable, variableName string) (value, name string) {
	if flag != "" {
		return flag, flagName
	}
	return variable, variableName
}

// descriptorHint shows how a shell opens the descriptor of fd:N.
func descriptorHint(flag, value string) string {
	switch {
	case strings.HasPrefix(value, "fd:"):
		return "open it in the shell, as in --" + flag + "=fd:3 3>file"
	case value == "-":
		return "--" + flag + "=fd:1 is standard output, ./- a file of that name"
	default:
		return ""
	}
}

// finish writes the report as one line of JSON, if a report was asked for.
func (r results) finish(report *supervisor.Report) error {
	if r.report == nil {
		return r.close()
	}
	if err := r.report.Write(append(report.AppendJSON(nil), '\n')); err != nil {
		return errors.Join(fmt.Errorf("write the report: %w", err), r.close())
	}
	return r.close()
}

func (r results) close() error {
	var failed error
	if r.report != nil {
		failed = r.report.Close()
	}
	if r.audit != nil {
		failed = errors.Join(failed, r.audit.Close())
	}
	return failed
}

// setupFailed is the report of a run that err kept from starting.
func setupFailed(err error) *supervisor.Report {
	return &supervisor.Report{
		Version:    supervisor.ReportVersion,
		Outcome:    supervisor.SetupFailed,
		Reason:     err.Error(),
		ExitCode:   failureStatus(err),
		Violations: []audit.Violation{},
	}
}
