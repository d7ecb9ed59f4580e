package plan

import (
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/pysandbox/pysandbox/seccomp"
)

// compileSeccomp returns the filter in OCI's words, for runtimes that have no
// supervisor to ask. OCI cannot say what becomes of the uses of a call that have
// no rule where others have one: libseccomp lets a rule without conditions win
// over all others. Such uses are refused as unknown calls are, or, where they are
// allowed, spelt out if that is possible.
func compileSeccomp(filter seccomp.FilterSpec) *specs.LinuxSeccomp {
	static := filter.Static()
	refused, errno := ociAction(static.Refused, static.RefusedErrno)
	out := &specs.LinuxSeccomp{
		DefaultAction:   refused,
		DefaultErrnoRet: errno,
		Architectures:   []specs.Arch{specs.ArchX86_64},
	}
	byCall := make(map[string][]seccomp.Rule)
	for _, rule := range static.Rules {
		if len(rule.Conditions) > 0 {
			byCall[rule.Syscall] = append(byCall[rule.Syscall], rule)
		}
	}
	for _, rule := range static.Rules {
		for _, simple := range ociRules(rule, byCall[rule.Syscall]) {
			action, errno := ociAction(simple.Action, simple.Errno)
			if action == refused && len(simple.Conditions) == 0 && *errno == *out.DefaultErrnoRet {
				continue // runtimes refuse a rule that repeats the default
			}
			out.Syscalls = append(out.Syscalls, specs.LinuxSyscall{
				Names:    []string{simple.Syscall},
				Action:   action,
				ErrnoRet: errno,
				Args:     ociConditions(simple.Conditions),
			})
		}
	}
	return out
}

// ociRules returns what stands for a rule beside the conditional rules of its
// call. A rule for all other uses is only spelt out where it allows and excepts
// the values of one argument: some bit of the argument must then differ.
func ociRules(rule seccomp.Rule, conditional []seccomp.Rule) []seccomp.Rule {
	if len(rule.Conditions) > 0 || len(conditional) == 0 {
		return []seccomp.Rule{rule}
	}
	if rule.Action != seccomp.ActAllow || len(conditional) > 1 || len(conditional[0].Conditions) > 1 {
		return nil
	}
	except := conditional[0].Conditions[0]
	if except.Op != seccomp.CompareMaskedEqual {
		return nil
	}
	var rules []seccomp.Rule
	for bit := uint64(1); bit != 0; bit <<= 1 {
		if except.Mask&bit != 0 {
			differs := seccomp.Condition{Arg: except.Arg, Op: seccomp.CompareMaskedEqual, Mask: bit, Value: bit &^ except.Value}
			rules = append(rules, seccomp.Rule{Syscall: rule.Syscall, Action: rule.Action, Conditions: []seccomp.Condition{differs}})
		}
	}
	return rules
}

// ociAction refuses what it does not know.
func ociAction(action seccomp.Action, errno uint16) (specs.LinuxSeccompAction, *uint) {
	const eperm = 1
	value := uint(errno)
	if value == 0 {
		value = eperm
	}
	switch action {
	case seccomp.ActAllow:
		return specs.ActAllow, nil
	case seccomp.ActKill:
		return specs.ActKillProcess, nil
	default:
		return specs.ActErrno, &value
	}
}

func ociConditions(conditions []seccomp.Condition) []specs.LinuxSeccompArg {
	operators := map[seccomp.CompareOp]specs.LinuxSeccompOperator{
		seccomp.CompareEqual:       specs.OpEqualTo,
		seccomp.CompareMaskedEqual: specs.OpMaskedEqual,
	}
	var args []specs.LinuxSeccompArg
	for _, c := range conditions {
		arg := specs.LinuxSeccompArg{Index: uint(c.Arg), Value: c.Value, Op: operators[c.Op]}
		if c.Op == seccomp.CompareMaskedEqual {
			arg.Value, arg.ValueTwo = c.Mask, c.Value // as libseccomp has them: mask first
		}
		args = append(args, arg)
	}
	return args
}
