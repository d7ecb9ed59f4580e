package testenv

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// childVariable marks a run of this test binary that TestNeed started.
const childVariable = "PYSANDBOX_TESTENV_CHILD"

// TestNeedChild is the victim of TestNeed: it needs bwrap, which the parent has
// hidden from it or not.
func TestNeedChild(t *testing.T) {
	if os.Getenv(childVariable) == "" {
		return // only meaningful as a child
	}
	Need(t, Bubblewrap)
	t.Log("went on")
}

func TestNeed(t *testing.T) {
	with := t.TempDir()
	if err := os.WriteFile(with+"/bwrap", []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	without := t.TempDir()
	tests := []struct {
		name, path, require string
		passes              bool
		output              string
	}{
		{"present", with, "", true, "went on"},
		{"present and required", with, "bubblewrap", true, "went on"},
		{"missing", without, "", true, "--- SKIP: TestNeedChild"},
		{"missing, another required", without, "userns,notify", true, "--- SKIP: TestNeedChild"},
		{"missing and required", without, "userns,bubblewrap", false, "bubblewrap is required by PYSANDBOX_REQUIRE and missing"},
		{"missing and all required", without, "all", false, "bubblewrap is required by PYSANDBOX_REQUIRE and missing"},
		{"misspelt requirement", with, "bublewrap", false, `unknown feature "bublewrap"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.run=^TestNeedChild$", "-test.v")
			cmd.Env = []string{childVariable + "=1", "PATH=" + test.path, RequireVariable + "=" + test.require}
			output, err := cmd.CombinedOutput()
			if passed := err == nil; passed != test.passes {
				t.Errorf("child passed: %v, want %v\n%s", passed, test.passes, output)
			}
			if !strings.Contains(string(output), test.output) {
				t.Errorf("child wrote\n%s\nwithout %q", output, test.output)
			}
		})
	}
}

func TestEveryFeatureHasAProbe(t *testing.T) {
	known := probes()
	for _, feature := range Features() {
		if known[feature] == nil {
			t.Errorf("feature %s has no probe", feature)
		}
		delete(known, feature)
	}
	for feature := range known {
		t.Errorf("feature %s has a probe and is not in Features", feature)
	}
}

// TestProbes reports what this machine offers, and fails for what is required.
func TestProbes(t *testing.T) {
	for _, feature := range Features() {
		t.Run(string(feature), func(t *testing.T) { Need(t, feature) })
	}
}

func TestCgroupParents(t *testing.T) {
	const membership = "9:name=systemd:/\n4:cpu,memory:/user/7\n0::/\n"
	parents, err := cgroupParents(membership, "memory")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"/sys/fs/cgroup/memory/user/7", "/sys/fs/cgroup/memory"}
	if !slices.Equal(parents, want) {
		t.Errorf("parents %v, want %v", parents, want)
	}
	if _, err := cgroupParents("9:name=systemd:/\n", "memory"); err == nil {
		t.Error("a hierarchy without the controller was accepted")
	}
}

func TestPythonsAreDistinctAndSupported(t *testing.T) {
	seen := make(map[string]bool)
	for _, python := range Pythons(t) {
		if python.Minor < oldestMinor || seen[python.Path] {
			t.Errorf("unexpected interpreter %+v", python)
		}
		seen[python.Path] = true
	}
}

func TestRunAsChangesTheUser(t *testing.T) {
	output, err := RunAs(t, Nobody, exec.Command("id", "-u")).Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(string(output)); got != "65534" {
		t.Errorf("id -u says %s", got)
	}
	groups, err := RunAs(t, Nobody, exec.Command("id", "-G")).Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(string(groups)); got != "65534" {
		t.Errorf("id -G says %s", got)
	}
}
