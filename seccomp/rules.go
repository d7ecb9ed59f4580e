package seccomp

import "syscall"

// table collects rules as the files of layers write them down, one after another.
type table struct{ rules []Rule }

// allow lets calls through whatever their arguments.
func (t *table) allow(why string, calls ...string) {
	t.all(Rule{Action: ActAllow, Why: why}, calls)
}

// allowIf lets a call through when the conditions hold.
func (t *table) allowIf(why, call string, conditions ...Condition) {
	t.rules = append(t.rules, Rule{Syscall: call, Action: ActAllow, Conditions: conditions, Why: why})
}

// trap hands calls to the supervisor whatever their arguments.
func (t *table) trap(why string, calls ...string) {
	t.all(Rule{Action: ActNotify, Why: why}, calls)
}

// trapIf hands a call to the supervisor when the conditions hold.
func (t *table) trapIf(why, call string, conditions ...Condition) {
	t.rules = append(t.rules, Rule{Syscall: call, Action: ActNotify, Conditions: conditions, Why: why})
}

// refuse lets calls fail, with a record of it.
func (t *table) refuse(why string, errno syscall.Errno, calls ...string) {
	t.all(Rule{Action: ActExplain, Errno: uint16(errno), Why: why}, calls)
}

// refuseIf lets a call fail when the conditions hold, with a record of it.
func (t *table) refuseIf(why string, errno syscall.Errno, call string, conditions ...Condition) {
	t.rules = append(t.rules, Rule{call, ActExplain, uint16(errno), conditions, why})
}

// refuseQuietly lets calls fail in the kernel, without a record: for what
// libraries try as a matter of course and do well without.
func (t *table) refuseQuietly(why string, errno syscall.Errno, calls ...string) {
	t.all(Rule{Action: ActErrno, Errno: uint16(errno), Why: why}, calls)
}

// refuseQuietlyIf lets a call fail in the kernel when the conditions hold.
func (t *table) refuseQuietlyIf(why string, errno syscall.Errno, call string, conditions ...Condition) {
	t.rules = append(t.rules, Rule{call, ActErrno, uint16(errno), conditions, why})
}

// allowEach lets a call through for each value of an int argument.
func (t *table) allowEach(why, call string, arg uint8, values ...uint32) {
	for _, value := range values {
		t.allowIf(why, call, intIs(arg, value))
	}
}

func (t *table) all(rule Rule, calls []string) {
	for _, call := range calls {
		rule.Syscall = call
		t.rules = append(t.rules, rule)
	}
}
