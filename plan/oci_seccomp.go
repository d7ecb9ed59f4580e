package plan

import (
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/pysandbox/pysandbox/seccomp"
)

// compileSeccomp returns the filter in OCI's words, for runtimes that have no
// supervisor to ask. A call that the supervisor would decide is refused there,
// but for execve and execveat, which mounts and Landlock decide anyway.
func compileSeccomp(spec seccomp.FilterSpec) *specs.LinuxSeccomp {
	refused, errno := ociAction(spec.Refused, spec.RefusedErrno, "")
	out := &specs.LinuxSeccomp{
		DefaultAction:   refused,
		DefaultErrnoRet: errno,
		Architectures:   []specs.Arch{specs.ArchX86_64},
	}
	for _, rule := range spec.Rules {
		action, errno := ociAction(rule.Action, rule.Errno, rule.Syscall)
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

func ociAction(action seccomp.Action, errno uint16, syscall string) (specs.LinuxSeccompAction, *uint) {
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
	case seccomp.ActNotify:
		if syscall == "execve" || syscall == "execveat" {
			return specs.ActAllow, nil
		}
		return specs.ActErrno, &value
	case seccomp.ActErrno, seccomp.ActExplain:
		return specs.ActErrno, &value
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
