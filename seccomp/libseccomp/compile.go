// Package libseccomp compiles filters to BPF through libseccomp. It loads
// nothing: the kernel is spoken to elsewhere, without the library.
package libseccomp

import (
	"errors"
	"fmt"
	"io"
	"os"

	library "github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/seccomp"
)

// optimizeTree makes libseccomp search calls by a binary tree (SCMP_FLTATR_CTL_OPTIMIZE).
const optimizeTree = 2

// apiLevel is what libseccomp may use (seccomp_api_get(3)): notifications, beside
// the TSYNC that its Go binding always asks for. Said here, it does not depend on
// the kernel that compiles.
const apiLevel = 6

// missing is what every call gets for which the filter has no entry.
func missing() library.ScmpAction { return library.ActErrno.SetReturnCode(int16(unix.ENOSYS)) }

// Compile turns a valid spec into BPF for x86-64 and checks that the result means
// what the spec says. The same spec gives the same program.
func Compile(spec seccomp.FilterSpec) (seccomp.Program, error) {
	program, err := compile(spec, optimizeTree)
	if err == nil {
		err = Verify(spec, program)
	}
	if err != nil {
		return nil, fmt.Errorf("compile the seccomp filter: %w", err)
	}
	return program, nil
}

// Version returns the version of libseccomp in this binary, such as "2.5.4".
func Version() string {
	major, minor, micro := library.GetLibraryVersion()
	return fmt.Sprintf("%d.%d.%d", major, minor, micro)
}

func compile(spec seccomp.FilterSpec, optimize int) (seccomp.Program, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	filter, err := newFilter(spec.Foreign(), optimize)
	if err != nil {
		return nil, err
	}
	defer filter.Release()
	rules := rulesByCall(spec)
	for _, number := range seccomp.Numbers() {
		if err := addCall(filter, number, rules[seccomp.Name(number)], spec); err != nil {
			return nil, fmt.Errorf("%s: %w", seccomp.Name(number), err)
		}
	}
	return export(filter)
}

// export writes the filter to memory. libseccomp before 2.6 can only write to a
// descriptor.
func export(filter *library.ScmpFilter) (seccomp.Program, error) {
	fd, err := unix.MemfdCreate("seccomp-filter", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make a memory file for the filter: %w", err)
	}
	file := os.NewFile(uintptr(fd), "seccomp-filter")
	defer file.Close()
	if err := filter.ExportBPF(file); err != nil {
		return nil, fmt.Errorf("export BPF: %w", err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	code, err := io.ReadAll(file)
	if err != nil {
		return nil, err
	}
	return seccomp.ParseProgram(code)
}

// newFilter returns an empty filter for x86-64 alone. libseccomp treats as foreign
// what comes from another architecture, and takes the x32 bit for one.
func newFilter(foreign seccomp.Ruling, optimize int) (*library.ScmpFilter, error) {
	if err := library.SetAPI(apiLevel); err != nil {
		return nil, fmt.Errorf("ask libseccomp for API level %d: %w", apiLevel, err)
	}
	filter, err := library.NewFilter(missing())
	if err != nil {
		return nil, err
	}
	err = errors.Join(
		filter.SetBadArchAction(action(foreign.Action, foreign.Errno)),
		filter.SetOptimize(optimize),
	)
	if native, archErr := library.GetNativeArch(); archErr != nil || native != library.ArchAMD64 {
		err = errors.Join(err, archErr, fmt.Errorf("architecture %s is not supported, only x86-64 is", native))
	}
	if err != nil {
		filter.Release()
		return nil, err
	}
	return filter, nil
}

// addCall adds the rules of one call. libseccomp evaluates the conditional rules
// of a call in an order of its own, which does not matter because those of a valid
// spec agree where they overlap; but to it an unconditional rule shadows them all.
// So what happens otherwise is added as a condition that is
// always true and that libseccomp puts last: arg 0 >= 0.
func addCall(filter *library.ScmpFilter, number int32, rules []seccomp.Rule, spec seccomp.FilterSpec) error {
	call := library.ScmpSyscall(number)
	otherwise := action(spec.Refused, spec.RefusedErrno)
	conditional := 0
	for _, rule := range rules {
		if len(rule.Conditions) == 0 {
			otherwise = action(rule.Action, rule.Errno)
			continue
		}
		conditions, err := convert(rule.Conditions)
		if err != nil {
			return err
		}
		if err := filter.AddRuleConditionalExact(call, action(rule.Action, rule.Errno), conditions); err != nil {
			return fmt.Errorf("add %q: %w", rule.Why, err)
		}
		conditional++
	}
	switch {
	case otherwise == missing():
		return nil // libseccomp refuses a rule that repeats the default
	case conditional == 0:
		return filter.AddRuleExact(call, otherwise)
	default:
		always, err := library.MakeCondition(0, library.CompareGreaterEqual, 0)
		if err != nil {
			return err
		}
		return filter.AddRuleConditionalExact(call, otherwise, []library.ScmpCondition{always})
	}
}

func convert(conditions []seccomp.Condition) ([]library.ScmpCondition, error) {
	converted := make([]library.ScmpCondition, 0, len(conditions))
	for _, c := range conditions {
		op, values := library.CompareEqual, []uint64{c.Value}
		if c.Op == seccomp.CompareMaskedEqual {
			op, values = library.CompareMaskedEqual, []uint64{c.Mask, c.Value}
		}
		condition, err := library.MakeCondition(uint(c.Arg), op, values...)
		if err != nil {
			return nil, err
		}
		converted = append(converted, condition)
	}
	return converted, nil
}

// action returns libseccomp's action. An errno of 0 means EPERM, and so does an
// action that is none.
func action(a seccomp.Action, errno uint16) library.ScmpAction {
	switch a {
	case seccomp.ActAllow:
		return library.ActAllow
	case seccomp.ActNotify, seccomp.ActExplain:
		return library.ActNotify
	case seccomp.ActKill:
		return library.ActKillProcess
	case seccomp.ActErrno:
		if errno != 0 {
			return library.ActErrno.SetReturnCode(int16(errno))
		}
	}
	return library.ActErrno.SetReturnCode(int16(unix.EPERM))
}
