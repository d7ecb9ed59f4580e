package seccomp

import (
	"errors"
	"fmt"
	"slices"

	"github.com/pysandbox/pysandbox/internal/errnos"
)

// withErrno returns the rules with another errno for the uses of a call that are
// refused and have no errno of their own.
func withErrno(rules []Rule, call, errnoName string) ([]Rule, error) {
	if _, known := Number(call); !known {
		return nil, fmt.Errorf("unknown system call%s", didYouMean(call, callNames()))
	}
	errno, known := errnos.Number(errnoName)
	if !known {
		return nil, fmt.Errorf("unknown errno %q%s", errnoName, didYouMean(errnoName, errnos.Names()))
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
