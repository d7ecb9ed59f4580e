package supervisor

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/audit"
)

func fullReport() *Report {
	return &Report{
		Version: 1, Outcome: LimitHit, Reason: "memory", ExitCode: 137, Signal: "SIGKILL", Tier: "full",
		Layers:    Layers{UserNS: true, NetNS: true, Landlock: 7, Seccomp: true, Notify: true, Cgroup: "v1"},
		Usage:     Usage{WallSeconds: 0.031, CPUSeconds: 0.02, PeakMemoryBytes: 9437184, PeakPids: 2, WholeTree: []string{"peak_memory_bytes", "peak_pids"}},
		LimitsHit: []string{"pids", "file_size"},
		Violations: []audit.Violation{
			{
				Operation: "connect", Target: "tcp://203.0.113.9:443", Rule: "network.default", Errno: "EACCES",
				Count: 3, Hint: "--allow-net=tcp://203.0.113.9:443", Where: "job.py:12", Source: "guest",
			},
			{Operation: "open", Target: "\x1b]0;x\x07\n\",\"outcome\":\"exited\u202e"},
		},
		ViolationsDropped: 4,
	}
}

// The hand-written form must be what encoding/json reads by the struct's tags.
func TestReportJSONAgreesWithTags(t *testing.T) {
	empty := &Report{Version: 1, Outcome: Exited, LimitsHit: []string{}, Violations: []audit.Violation{}}
	empty.Usage.WholeTree = []string{}
	for _, want := range []*Report{fullReport(), empty} {
		line := want.AppendJSON(nil)
		got := &Report{}
		if err := json.Unmarshal(line, got); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("\ngot  %+v\nwant %+v\nline %s", got, want, line)
		}
		var ours, theirs map[string]any
		tagged, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		_ = json.Unmarshal(line, &ours)
		_ = json.Unmarshal(tagged, &theirs)
		if !reflect.DeepEqual(ours, theirs) {
			t.Errorf("members differ:\n%s\n%s", line, tagged)
		}
	}
}

// Who reads a report asks for a member by its name, whatever the run was.
func TestReportHasItsMembersWhenTheyAreEmpty(t *testing.T) {
	var members, usage map[string]json.RawMessage
	if err := json.Unmarshal((&Report{}).AppendJSON(nil), &members); err != nil {
		t.Fatal(err)
	}
	_ = json.Unmarshal(members["usage"], &usage)
	for name, got := range map[string]json.RawMessage{
		"limits_hit": members["limits_hit"], "violations": members["violations"], "whole_tree": usage["whole_tree"],
	} {
		if string(got) != "[]" {
			t.Errorf("%s is %q, want an empty list", name, got)
		}
	}
	if got := string(members["violations_dropped"]); got != "0" {
		t.Errorf("violations_dropped is %q, want 0", got)
	}
}

func TestReportJSONIsOneSafeLine(t *testing.T) {
	line := string(fullReport().AppendJSON(nil))
	if strings.ContainsAny(line, "\n\x1b\x07\u202e") {
		t.Errorf("%q", line)
	}
	odd := &Report{Usage: Usage{WallSeconds: math.Inf(1), CPUSeconds: math.NaN()}}
	if line := odd.AppendJSON(nil); !json.Valid(line) {
		t.Errorf("%s is not JSON", line)
	}
}

func TestFormatViolations(t *testing.T) {
	r := fullReport()
	want := []string{
		"pysandbox: denied connect tcp://203.0.113.9:443 (EACCES by network.default) 3 times at job.py:12",
		"pysandbox: hint: --allow-net=tcp://203.0.113.9:443",
		"pysandbox: and 5 more",
	}
	if got := FormatViolations(r, 1); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for _, line := range FormatViolations(r, 10) {
		if strings.ContainsAny(line, "\n\x1b\x07\u202e") || !strings.HasPrefix(line, "pysandbox: ") {
			t.Errorf("%q", line)
		}
	}
	if got := FormatViolations(&Report{}, 10); len(got) != 0 {
		t.Errorf("nothing to say, said %q", got)
	}
}

func TestFormatOutcome(t *testing.T) {
	for _, c := range []struct {
		report *Report
		want   []string
	}{
		{&Report{Outcome: Exited}, nil},
		{&Report{Outcome: LimitHit, Reason: "memory"}, []string{
			"pysandbox: killed: over the memory limit",
			"pysandbox: hint: raise it with --memory or limits.memory",
		}},
		{&Report{Outcome: TimedOut, Reason: "wall"}, []string{
			"pysandbox: killed: still running at the wall time limit",
			"pysandbox: hint: raise it with --timeout or limits.wall",
		}},
		{&Report{Outcome: Exited, LimitsHit: []string{"pids"}}, []string{
			"pysandbox: the program met the pids limit",
			"pysandbox: hint: raise it with --pids or limits.pids",
		}},
		{&Report{Outcome: SetupFailed, Reason: "no\x1b[2J"}, []string{`pysandbox: no\x1b[2J`}},
	} {
		if got := FormatOutcome(c.report); !slices.Equal(got, c.want) {
			t.Errorf("got  %q\nwant %q", got, c.want)
		}
	}
}
