package seccomp

import (
	"slices"
	"syscall"
)

// allow lets calls through whatever their arguments.
func allow(why string, calls ...string) []Rule {
	return forEach(calls, Rule{Action: ActAllow, Why: why})
}

// trap hands calls to the supervisor whatever their arguments.
func trap(why string, calls ...string) []Rule {
	return forEach(calls, Rule{Action: ActNotify, Why: why})
}

// refuse lets calls fail, with a record of it.
func refuse(why string, errno syscall.Errno, calls ...string) []Rule {
	return forEach(calls, Rule{Action: ActExplain, Errno: uint16(errno), Why: why})
}

// refuseQuietly lets calls fail in the kernel, without a record: for what
// libraries try as a matter of course and do well without.
func refuseQuietly(why string, errno syscall.Errno, calls ...string) []Rule {
	return forEach(calls, Rule{Action: ActErrno, Errno: uint16(errno), Why: why})
}

func forEach(calls []string, rule Rule) []Rule {
	rules := make([]Rule, 0, len(calls))
	for _, call := range calls {
		rule.Syscall = call
		rules = append(rules, rule)
	}
	return rules
}

// when narrows rules to the calls for which the conditions hold.
func when(rules []Rule, conditions ...Condition) []Rule {
	for i := range rules {
		rules[i].Conditions = conditions
	}
	return rules
}

// oneOf repeats rules for each value of an int argument.
func oneOf[T ~uint32 | ~int](rules []Rule, arg uint8, values ...T) []Rule {
	var all []Rule
	for _, value := range values {
		all = append(all, when(slices.Clone(rules), intIs(arg, uint32(value)))...)
	}
	return all
}

// join puts lists of rules one after another.
func join(lists ...[]Rule) []Rule { return slices.Concat(lists...) }
