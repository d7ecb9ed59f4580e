package libseccomp

import (
	"fmt"
	"math/bits"

	"github.com/pysandbox/pysandbox/seccomp"
)

// Verify compares a program with a spec for every known call, at the values around
// which a condition of the call changes, and for calls that the tables do not
// know: libseccomp is known to have merged the rules of one call wrongly.
func Verify(spec seccomp.FilterSpec, program seccomp.Program) error {
	for _, d := range outsideTable() {
		if err := compare(&spec, program, d); err != nil {
			return err
		}
	}
	rules := rulesByCall(spec)
	for _, number := range seccomp.Numbers() {
		alone := spec // with one call's rules it means the same for that call, and is quicker
		alone.Rules = rules[seccomp.Name(number)]
		for _, args := range samples(alone.Rules) {
			d := seccomp.Data{Number: number, Arch: seccomp.ArchX86_64, Args: args}
			if err := compare(&alone, program, d); err != nil {
				return err
			}
		}
	}
	return nil
}

func rulesByCall(spec seccomp.FilterSpec) map[string][]seccomp.Rule {
	rules := make(map[string][]seccomp.Rule)
	for _, rule := range spec.Rules {
		rules[rule.Syscall] = append(rules[rule.Syscall], rule)
	}
	return rules
}

func compare(spec *seccomp.FilterSpec, program seccomp.Program, d seccomp.Data) error {
	want, _ := spec.Ruling(d)
	got, err := program.Evaluate(d)
	if err != nil {
		return err
	}
	if got != want.Kernel() {
		return fmt.Errorf("the program answers %s%#x with %+v, the spec says %+v; this libseccomp merges its rules wrongly",
			seccomp.Name(d.Number), d.Args, got, want)
	}
	return nil
}

// outsideTable are calls of other architectures and numbers that are unknown.
func outsideTable() []seccomp.Data {
	known := seccomp.Numbers()
	calls := []seccomp.Data{
		{Number: 1, Arch: seccomp.ArchI386},
		{Number: 1, Arch: 0},
		{Number: 1 | seccomp.X32Bit, Arch: seccomp.ArchX86_64},
		{Number: seccomp.X32Bit, Arch: seccomp.ArchX86_64},
		{Number: seccomp.X32Bit - 1, Arch: seccomp.ArchX86_64},
		{Number: -1, Arch: seccomp.ArchX86_64},
		{Number: -2, Arch: seccomp.ArchX86_64},
	}
	for number := range known[len(known)-1] + 64 {
		if seccomp.Name(number) == "" {
			calls = append(calls, seccomp.Data{Number: number, Arch: seccomp.ArchX86_64})
		}
	}
	return calls
}

// samples returns arguments for one call: around every value of its rules, one
// argument at a time, starting from arguments for which a rule holds.
func samples(rules []seccomp.Rule) [][6]uint64 {
	const ones = ^uint64(0)
	all := [][6]uint64{{}, {ones, ones, ones, ones, ones, ones}}
	for _, rule := range rules {
		var hit [6]uint64
		for _, c := range rule.Conditions {
			hit[c.Arg] = satisfying(c)
		}
		all = append(all, hit)
		for _, c := range rule.Conditions {
			for _, value := range around(c) {
				near := hit
				near[c.Arg] = value
				all = append(all, near)
			}
		}
	}
	return all
}

// satisfying returns a value for which the condition holds, if there is one.
func satisfying(c seccomp.Condition) uint64 {
	for _, value := range around(c) {
		var args [6]uint64
		args[c.Arg] = value
		if c.Holds(args) {
			return value
		}
	}
	return 0
}

// around returns values at which the condition begins or ceases to hold.
func around(c seccomp.Condition) []uint64 {
	const high = 1 << 32
	values := []uint64{c.Value, c.Value + 1, c.Value - 1, c.Value | high, c.Value ^ high, 0, ^uint64(0)}
	if c.Op == seccomp.CompareMaskedEqual {
		lowest := c.Mask & -c.Mask
		highest := uint64(1) << (bits.Len64(c.Mask|1) - 1)
		values = append(values, c.Value|^c.Mask, c.Value^lowest, c.Value^highest)
	}
	return values
}
