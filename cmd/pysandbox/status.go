package main

import (
	"github.com/pysandbox/pysandbox/supervisor"
)

// The exit statuses of pysandbox that are not the program's own. 124 to 127
// are those of timeout(1), env(1) and the shell; 137 and 159 are 128 plus
// SIGKILL and SIGSYS, as a shell would show them.
const (
	statusOK            = 0
	statusMissing       = 1 // doctor: the full tier is not available
	statusTimeout       = 124
	statusFailed        = 125 // pysandbox could not set up, or was asked for the impossible
	statusNotExecutable = 126
	statusNotFound      = 127
	statusLimit         = 137
	statusViolation     = 159
)

// exitStatus is the exit status that a report amounts to. The report's own
// exit code decides where the program ended by itself or could not be started.
func exitStatus(report supervisor.Report) int {
	switch report.Outcome {
	case supervisor.Exited, supervisor.Signaled:
		return report.ExitCode
	case supervisor.TimedOut:
		return statusTimeout
	case supervisor.LimitHit:
		return statusLimit
	case supervisor.Violated:
		return statusViolation
	case supervisor.SetupFailed:
		if report.ExitCode == statusNotFound || report.ExitCode == statusNotExecutable {
			return report.ExitCode
		}
		return statusFailed
	case supervisor.Internal:
		return statusFailed
	}
	return statusFailed
}
