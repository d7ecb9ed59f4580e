package world

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/supervisor"
)

// Run runs a command to its end and returns its exit status. One that takes longer
// than patience is killed, and has failed.
func Run(t *testing.T, cmd *exec.Cmd, patience time.Duration) int {
	t.Helper()
	return Start(t, cmd, patience)()
}

// Start starts a command. What it returns waits for its end as Run does, and may be
// called in another goroutine.
func Start(t *testing.T, cmd *exec.Cmd, patience time.Duration) (wait func() int) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %v: %v", cmd.Args, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Signal(unix.SIGKILL) })
	return func() int {
		defer cancel()
		err := cmd.Wait()
		if !stop() {
			t.Errorf("%v did not end in %v", cmd.Args, patience)
		}
		if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
			t.Errorf("%v: %v", cmd.Args, err)
		}
		return cmd.ProcessState.ExitCode()
	}
}

// ReadReport reads the report of a run strictly. The run has failed if pysandbox did, as
// the report or its standard error says.
func ReadReport(t *testing.T, file, stderr string) *supervisor.Report {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("no report: %v\n%s", err, stderr)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	var report supervisor.Report
	if err := decoder.Decode(&report); err != nil {
		t.Fatalf("report: %v\n%s", err, text)
	}
	if report.Outcome == supervisor.Internal || report.Outcome == supervisor.SetupFailed {
		t.Errorf("the report says %s: %s\n%s", report.Outcome, report.Reason, stderr)
	}
	for _, bad := range []string{"panic:", "goroutine ", "DATA RACE"} {
		if strings.Contains(stderr, bad) {
			t.Errorf("the supervisor crashed:\n%s", stderr)
		}
	}
	return &report
}
