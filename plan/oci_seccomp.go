package plan

import (
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/pysandbox/pysandbox/seccomp"
)

// compileSeccomp returns the filter in OCI's words, for runtimes that have no
// supervisor to ask.
func compileSeccomp(filter seccomp.FilterSpec) *specs.LinuxSeccomp {
	static := filter.Static()
	refused, errno := ociAction(static.Refused, static.RefusedErrno)
	out := &specs.LinuxSeccomp{
		DefaultAction:   refused,
		DefaultErrnoRet: errno,
		Architectures:   []specs.Arch{specs.ArchX86_64},
	}
	for _, rule := range static.Rules {
		action, errno := ociAction(rule.Action, rule.Errno)
		if action == refused && len(rule.Conditions) == 0 && *errno == *out.DefaultErrnoRet {
			continue // runtimes refuse a rule that repeats the default
		}
		out.Syscalls = append(out.Syscalls, specs.LinuxSyscall{
			Names:    []string{rule.Syscall},
			Action:   action,
			ErrnoRet: errno,
			Args:     ociConditions(rule.Conditions),
		})
	}
	return out
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
		seccomp.CompareEqual:        specs.OpEqualTo,
		seccomp.CompareNotEqual:     specs.OpNotEqual,
		seccomp.CompareMaskedEqual:  specs.OpMaskedEqual,
		seccomp.CompareLess:         specs.OpLessThan,
		seccomp.CompareLessEqual:    specs.OpLessEqual,
		seccomp.CompareGreater:      specs.OpGreaterThan,
		seccomp.CompareGreaterEqual: specs.OpGreaterEqual,
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
