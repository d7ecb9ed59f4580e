package seccomp

import (
	"errors"
	"fmt"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// withErrno returns the rules with another errno for the uses of a call that are
// refused and have no errno of their own.
func withErrno(rules []Rule, call, errnoName string) ([]Rule, error) {
	if _, known := Number(call); !known {
		return nil, fmt.Errorf("unknown system call%s", didYouMean(call, callNames()))
	}
	errno, known := errnoByName(errnoName)
	if !known {
		return nil, fmt.Errorf("unknown errno %q%s", errnoName, didYouMean(errnoName, errnoNames()))
	}
	if rule := ruleOf(never, call); rule != nil && rule.Action == ActErrno {
		return nil, errors.New("it must stay ENOSYS, or callers do not fall back")
	}
	i := slices.IndexFunc(rules, func(r Rule) bool { return r.Syscall == call && len(r.Conditions) == 0 })
	if i < 0 {
		return append(rules, Rule{
			Syscall: call, Action: ActExplain, Errno: uint16(errno), Why: "refused with an errno of the policy's choice",
		}), nil
	}
	if action := rules[i].Action; action != ActErrno && action != ActExplain {
		return nil, errors.New("the filter does not refuse it")
	}
	rules[i].Errno = uint16(errno)
	return rules, nil
}

// largestErrno is the last errno with a name on x86-64.
const largestErrno = unix.EHWPOISON

// errnoByName returns the errno of a name such as "EACCES".
func errnoByName(name string) (syscall.Errno, bool) {
	switch name { // second names of a number
	case "EOPNOTSUPP":
		return unix.EOPNOTSUPP, true
	case "EWOULDBLOCK":
		return unix.EWOULDBLOCK, true
	case "EDEADLOCK":
		return unix.EDEADLOCK, true
	}
	for errno := syscall.Errno(1); errno <= largestErrno; errno++ {
		if unix.ErrnoName(errno) == name {
			return errno, true
		}
	}
	return 0, false
}

func errnoNames() []string {
	names := []string{"EOPNOTSUPP", "EWOULDBLOCK", "EDEADLOCK"}
	for errno := syscall.Errno(1); errno <= largestErrno; errno++ {
		if name := unix.ErrnoName(errno); name != "" {
			names = append(names, name)
		}
	}
	return names
}
