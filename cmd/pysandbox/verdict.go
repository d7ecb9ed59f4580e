package main

import (
	"strings"

	"github.com/pysandbox/pysandbox/plan"
	"github.com/pysandbox/pysandbox/supervisor"
)

// shownViolations is how many kinds of denied calls a terminal gets to see; the
// report has them all.
const shownViolations = 20

// verdict prints what the program did not see of its own run: what it was
// denied, which limits it met, and why it ended if not by itself.
func (u *ui) verdict(report supervisor.Report, resolved *plan.Resolved) {
	said := make(map[string]bool)
	for _, v := range report.Violations[:min(len(report.Violations), shownViolations)] {
		u.violation(v)
		if !said[v.Hint] {
			u.hint(v.Hint)
		}
		said[v.Hint] = true
	}
	if more := len(report.Violations) + report.ViolationsDropped - shownViolations; more > 0 {
		u.notice("and %d more kinds of denied calls", more)
		u.hint("--report=FILE keeps them")
	}
	for _, name := range report.LimitsHit {
		u.notice("the program met the %s limit", name)
		u.hint(limitHint(name))
	}
	u.outcome(report, resolved)
}

func (u *ui) violation(v supervisor.Violation) {
	var text strings.Builder
	text.WriteString("denied " + v.Operation)
	if v.Target != "" {
		text.WriteString(" " + v.Target)
	}
	if v.Rule != "" {
		text.WriteString(" (" + v.Rule + ")")
	}
	if v.Where != "" {
		text.WriteString(" at " + v.Where)
	}
	if v.Count > 1 {
		u.notice("%s, %d times", text.String(), v.Count)
		return
	}
	u.notice("%s", text.String())
}

// outcome says why a run ended, unless the program ended by itself.
func (u *ui) outcome(report supervisor.Report, resolved *plan.Resolved) {
	switch report.Outcome {
	case supervisor.Exited:
	case supervisor.Signaled:
		// A shell is silent about these two as well: the user pressed a
		// key, or closed the other end of a pipe.
		if report.Signal != "SIGINT" && report.Signal != "SIGPIPE" {
			u.notice("the program was ended by %s", report.Signal)
		}
	case supervisor.TimedOut:
		u.notice("stopped after %s, the limit of its time", resolved.Wall)
		u.hint("--timeout=DURATION sets it")
	case supervisor.LimitHit:
		u.notice("stopped at the %s limit", report.Reason)
		u.hint(limitHint(report.Reason))
	case supervisor.Violated:
		u.notice("stopped for a violation: %s", report.Reason)
	case supervisor.SetupFailed:
		u.line("pysandbox: ", "could not start the program: "+report.Reason)
	case supervisor.Internal:
		u.line("pysandbox: ", "internal error: "+report.Reason)
	}
}

// limitHint names the flag that sets a limit of the policy.
func limitHint(name string) string {
	flag := strings.ReplaceAll(name, "_", "-")
	switch name {
	case "memory", "output", "tmp_size", "file_size":
		return "--" + flag + "=SIZE sets it"
	case "cpu":
		return "--cpu=DURATION sets it"
	case "pids", "open_files":
		return "--" + flag + "=N sets it"
	default:
		return "limits." + name + " in a policy file sets it"
	}
}
