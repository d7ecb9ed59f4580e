package plan_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/namespaces"
	"github.com/pysandbox/pysandbox/plan"
)

var update = flag.Bool("update", false, "write the golden files again")

// presets are the shipped policies in the order in which tables show them.
func presets() []string { return []string{"strict", "http-only", "web-client", "worker"} }

// TestGoldenPlans holds what each preset amounts to. A change of a golden file
// is a change of what the sandbox permits, and is read as such.
func TestGoldenPlans(t *testing.T) {
	for _, name := range presets() {
		r := resolve(t, compile(t, preset(t, name), script()), fixedHost())
		checkGolden(t, "../configs/testdata/"+name+".plan.txt", describe(r))
	}
}

// TestEveryPresetHasAGolden finds policies that presets() does not name.
func TestEveryPresetHasAGolden(t *testing.T) {
	entries, err := os.ReadDir("../configs")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if name, ok := strings.CutSuffix(entry.Name(), ".toml"); ok && !slices.Contains(presets(), name) {
			t.Errorf("configs/%s is in no golden test", entry.Name())
		}
	}
}

func checkGolden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is out of date (go test ./plan -update): %s", file, firstDifference(got, string(want)))
	}
}

func firstDifference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d is\n%s\nnot\n%s", i+1, a[i], b[i])
		}
	}
	return fmt.Sprintf("it has %d lines, not %d", len(a), len(b))
}

// describe writes a resolved plan for people to read in a diff.
func describe(r *plan.Resolved) string {
	var b strings.Builder
	p := r.Plan
	fmt.Fprintf(&b, "policy %s, tier %s\n", p.Policy, r.Tier)
	fmt.Fprintf(&b, "layers %s\n", strings.Join(p.Layers, " "))
	fmt.Fprintf(&b, "\n# network\n")
	for _, rule := range p.Network.Rules.Allow {
		fmt.Fprintf(&b, "allow %s\n", rule.Text)
	}
	for _, rule := range p.Network.Rules.Deny {
		fmt.Fprintf(&b, "deny %s\n", rule.Text)
	}
	fmt.Fprintf(&b, "otherwise %s\n", p.Network.Errno)
	fmt.Fprintf(&b, "\n# limits of all processes together\n%s", describeResources(p))
	fmt.Fprintf(&b, "\n# setup that no plan changes\n%s", namespaces.Skeleton())
	fmt.Fprintf(&b, "\n# setup\n%s", describeSetup(r.Setup))
	fmt.Fprintf(&b, "\n# system calls\n%s", p.Filter.Table())
	return b.String()
}

// describeSetup leaves out how long the filter is: that is libseccomp's to say,
// and what the filter decides stands below.
func describeSetup(setup namespaces.Program) string {
	var b strings.Builder
	for _, op := range setup {
		line := op.String()
		if op.Code == namespaces.OpFilter {
			line = fmt.Sprintf("filter flags=%#x", op.N1)
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}

func describeResources(p *plan.Plan) string {
	var b strings.Builder
	resources := p.Spec.Linux.Resources
	if m := resources.Memory; m != nil {
		fmt.Fprintf(&b, "memory %d bytes, with swap %d\n", *m.Limit, *m.Swap)
	}
	if n := resources.Pids; n != nil {
		fmt.Fprintf(&b, "pids %d, ours among them\n", *n.Limit)
	}
	if c := resources.CPU; c != nil {
		fmt.Fprintf(&b, "cpu %d µs in %d\n", *c.Quota, *c.Period)
	}
	fmt.Fprintf(&b, "wall %v\noutput %d bytes\nconnections %d\n", p.Limits.Wall, p.Limits.Output, p.Limits.Connections)
	return b.String()
}
