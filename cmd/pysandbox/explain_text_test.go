package main

import (
	"testing"

	"github.com/pysandbox/pysandbox/plan"
)

// Landlock governs TCP from ABI 4 on; explain names it only where it does.
func TestNetworkSectionNamesTheLayersInForce(t *testing.T) {
	for abi, want := range map[int]string{
		0: "network namespace, seccomp",
		3: "network namespace, seccomp",
		4: "network namespace, Landlock, seccomp",
	} {
		facts := networkSection(&plan.Resolved{Plan: &plan.Plan{}, Landlock: abi}).facts
		if got := facts[len(facts)-1].layer; got != want {
			t.Errorf("ABI %d: %q, want %q", abi, got, want)
		}
	}
}
