package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/pysandbox/pysandbox/audit"
	"github.com/pysandbox/pysandbox/supervisor"
)

func writeFile(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// told runs speak with a ui and returns what it wrote to standard error.
func told(quiet bool, speak func(u *ui)) string {
	var err strings.Builder
	speak(&ui{err: &err, quiet: quiet})
	return err.String()
}

func TestFailureTellsEachErrorWithItsHint(t *testing.T) {
	err := errors.Join(
		misuse("try this", "first"),
		errors.Join(errors.New("second"), fmt.Errorf("third: %w", misuse("or that", "cause"))),
	)
	want := "pysandbox: first\npysandbox: hint: try this\n" +
		"pysandbox: second\n" +
		"pysandbox: third: cause\npysandbox: hint: or that\n"
	if got := told(false, func(u *ui) { u.failure(err) }); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	want = "pysandbox: first\npysandbox: second\npysandbox: third: cause\n"
	if got := told(true, func(u *ui) { u.failure(err) }); got != want {
		t.Errorf("quiet: got\n%s\nwant\n%s", got, want)
	}
}

func TestNothingDrivesTheTerminal(t *testing.T) {
	hostile := "a\x1b[2J\nb\x9b\u202e\xff"
	report := &supervisor.Report{
		Outcome: supervisor.SetupFailed, Reason: hostile, LimitsHit: []string{hostile},
		Violations: []audit.Violation{{Operation: hostile, Target: hostile, Rule: hostile, Hint: hostile, Where: hostile}},
	}
	got := told(false, func(u *ui) {
		u.failure(misuse(hostile, "%s", hostile))
		u.warnings([]string{hostile})
		u.verdict(report)
	})
	if !utf8.ValidString(got) || strings.ContainsAny(got, "\x1b\u009b\u202e") {
		t.Errorf("%q", got)
	}
	for line := range strings.Lines(got) {
		if !strings.HasPrefix(line, "pysandbox: ") {
			t.Errorf("%q is not marked as pysandbox's", line)
		}
	}
}

func TestQuietKeepsOnlyFailures(t *testing.T) {
	violations := []audit.Violation{{Operation: "connect", Target: "tcp://203.0.113.9:443"}}
	for _, c := range []struct {
		outcome supervisor.Outcome
		want    string
	}{
		{supervisor.Exited, ""},
		{supervisor.Signaled, ""},
		{supervisor.TimedOut, ""},
		{supervisor.LimitHit, ""},
		{supervisor.Violated, ""},
		{supervisor.SetupFailed, "pysandbox: why\n"},
		{supervisor.Internal, "pysandbox: why\n"},
	} {
		report := &supervisor.Report{Outcome: c.outcome, Reason: "why", Violations: violations}
		if got := told(true, func(u *ui) { u.verdict(report) }); got != c.want {
			t.Errorf("%s: got %q, want %q", c.outcome, got, c.want)
		}
		if got := told(false, func(u *ui) { u.verdict(report) }); !strings.Contains(got, "denied connect") {
			t.Errorf("%s: not quiet, got %q", c.outcome, got)
		}
	}
	if got := told(true, func(u *ui) { u.warnings([]string{"w"}) }); got != "" {
		t.Errorf("warning: got %q", got)
	}
}
