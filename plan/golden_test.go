package plan_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/namespaces"
	"github.com/pysandbox/pysandbox/plan"
	"github.com/pysandbox/pysandbox/seccomp"
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
	fmt.Fprintf(&b, "\n# setup\n%s", r.Setup)
	fmt.Fprintf(&b, "\n# system calls\n%s", describeFilter(p.Filter))
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

// describeFilter lists what becomes of every known call: first those whose
// arguments do not matter, by outcome, then the others with their rules.
func describeFilter(spec seccomp.FilterSpec) string {
	byCall := make(map[string][]seccomp.Rule)
	for _, rule := range spec.Rules {
		byCall[rule.Syscall] = append(byCall[rule.Syscall], rule)
	}
	plain := make(map[string][]string)
	var b strings.Builder
	for _, number := range seccomp.Numbers() {
		call := seccomp.Name(number)
		rules := byCall[call]
		if !slices.ContainsFunc(rules, func(r seccomp.Rule) bool { return len(r.Conditions) > 0 }) {
			outcome := outcomeText(spec.Refused, spec.RefusedErrno)
			if len(rules) > 0 {
				outcome = outcomeText(rules[0].Action, rules[0].Errno)
			}
			plain[outcome] = append(plain[outcome], call)
			continue
		}
		for _, line := range ruleLines(rules) {
			fmt.Fprintf(&b, "%s: %s\n", call, line)
		}
		if !slices.ContainsFunc(rules, func(r seccomp.Rule) bool { return len(r.Conditions) == 0 }) {
			fmt.Fprintf(&b, "%s: %s otherwise\n", call, outcomeText(spec.Refused, spec.RefusedErrno))
		}
	}
	var out strings.Builder
	for _, outcome := range slices.Sorted(maps.Keys(plain)) {
		slices.Sort(plain[outcome])
		fmt.Fprintf(&out, "%s:\n%s", outcome, wrap(plain[outcome]))
	}
	return out.String() + b.String() + "unknown calls: errno 38\nother architectures, x32: kill\n"
}

func outcomeText(action seccomp.Action, errno uint16) string {
	if errno == 0 {
		errno = 1
	}
	switch action {
	case seccomp.ActAllow:
		return "allow"
	case seccomp.ActNotify:
		return "ask the supervisor"
	case seccomp.ActKill:
		return "kill"
	case seccomp.ActErrno:
		return fmt.Sprintf("errno %d", errno)
	case seccomp.ActExplain:
		return fmt.Sprintf("errno %d with a record", errno)
	default:
		return fmt.Sprintf("unknown action %d", action)
	}
}

// ruleLines writes the rules of one call. Rules that differ only in the value of
// their last condition share a line.
func ruleLines(rules []seccomp.Rule) []string {
	var lines []string
	values := make(map[string][]string)
	for _, rule := range rules {
		outcome := outcomeText(rule.Action, rule.Errno)
		if len(rule.Conditions) == 0 {
			lines = append(lines, outcome+" otherwise")
			continue
		}
		words := make([]string, len(rule.Conditions))
		for i, c := range rule.Conditions {
			words[i] = conditionText(c)
		}
		last := rule.Conditions[len(rule.Conditions)-1]
		line := outcome + " if " + strings.TrimSuffix(strings.Join(words, " and "), valueText(last))
		if values[line] == nil {
			lines = append(lines, line)
		}
		values[line] = append(values[line], valueText(last))
	}
	for i, line := range lines {
		lines[i] = line + strings.Join(values[line], ", ")
	}
	slices.Sort(lines)
	return lines
}

func conditionText(c seccomp.Condition) string {
	operators := map[seccomp.CompareOp]string{
		seccomp.CompareEqual: "==", seccomp.CompareNotEqual: "!=", seccomp.CompareLess: "<",
		seccomp.CompareLessEqual: "<=", seccomp.CompareGreater: ">", seccomp.CompareGreaterEqual: ">=",
	}
	switch {
	case c.Op != seccomp.CompareMaskedEqual:
		return fmt.Sprintf("arg%d %s %s", c.Arg, operators[c.Op], valueText(c))
	case c.Mask == 0xffffffff:
		return fmt.Sprintf("int arg%d == %s", c.Arg, valueText(c))
	default:
		return fmt.Sprintf("arg%d & %#x == %s", c.Arg, c.Mask, valueText(c))
	}
}

func valueText(c seccomp.Condition) string { return fmt.Sprintf("%#x", c.Value) }

// wrap puts words into indented lines of at most 100 columns.
func wrap(words []string) string {
	var b strings.Builder
	line := " "
	for _, word := range words {
		if len(line)+1+len(word) > 100 {
			b.WriteString(line + "\n")
			line = " "
		}
		line += " " + word
	}
	b.WriteString(line + "\n")
	return b.String()
}
