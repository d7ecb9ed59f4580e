package seccomp

import (
	"errors"
	"fmt"
)

// maxErrno is the largest errno that the kernel delivers (MAX_ERRNO).
const maxErrno = 4095

// maxArgs is the number of argument registers.
const maxArgs = 6

// Validate reports every mistake in the spec: names that are no system call,
// malformed rules, and pairs of rules whose outcome would hang on their order.
func (s *FilterSpec) Validate() error {
	var problems []error
	byCall := make(map[string][]*Rule, len(s.Rules))
	for i := range s.Rules {
		rule := &s.Rules[i]
		if err := rule.validate(); err != nil {
			problems = append(problems, fmt.Errorf("rule %d, %s: %w", i, rule.Syscall, err))
			continue
		}
		for _, other := range byCall[rule.Syscall] {
			if err := rule.conflict(other); err != nil {
				problems = append(problems, fmt.Errorf("rule %d, %s: %w", i, rule.Syscall, err))
			}
		}
		byCall[rule.Syscall] = append(byCall[rule.Syscall], rule)
	}
	if err := validateOutcome(s.Refused, s.RefusedErrno); err != nil {
		problems = append(problems, fmt.Errorf("refused calls: %w", err))
	}
	return errors.Join(problems...)
}

func (r *Rule) validate() error {
	if _, known := Number(r.Syscall); !known {
		return fmt.Errorf("unknown system call %q%s", r.Syscall, didYouMean(r.Syscall, callNames()))
	}
	if err := validateOutcome(r.Action, r.Errno); err != nil {
		return err
	}
	var seen [maxArgs]bool
	for _, c := range r.Conditions {
		switch {
		case c.Arg >= maxArgs:
			return fmt.Errorf("argument %d does not exist, a call has %d", c.Arg, maxArgs)
		case seen[c.Arg]:
			return fmt.Errorf("argument %d is compared twice; one rule can compare it once", c.Arg)
		case c.Op > CompareMaskedEqual:
			return fmt.Errorf("comparison %d of argument %d is unknown", c.Op, c.Arg)
		case c.Op == CompareMaskedEqual && c.Value&^c.Mask != 0:
			return fmt.Errorf("argument %d can never be %#x under mask %#x", c.Arg, c.Value, c.Mask)
		}
		seen[c.Arg] = true
	}
	return nil
}

func validateOutcome(action Action, errno uint16) error {
	switch action {
	case ActErrno, ActExplain:
		if errno > maxErrno {
			return fmt.Errorf("errno %d is above %d", errno, maxErrno)
		}
		return nil
	case ActAllow, ActNotify, ActKill:
		if errno != 0 {
			return fmt.Errorf("errno %d has no meaning for a call that is not refused", errno)
		}
		return nil
	default:
		return fmt.Errorf("action %d is unknown", action)
	}
}

// conflict reports why two rules of one call cannot stand beside each other.
func (r *Rule) conflict(other *Rule) error {
	unconditional := len(r.Conditions) == 0
	switch {
	case unconditional != (len(other.Conditions) == 0):
		return nil // one of them says what happens otherwise
	case unconditional:
		return errors.New("two rules say what happens otherwise")
	case ruling(r.Action, r.Errno) == ruling(other.Action, other.Errno):
		return nil
	case disjoint(r.Conditions, other.Conditions):
		return nil
	default:
		return fmt.Errorf("the rules %q and %q may hold at once and differ", r.Why, other.Why)
	}
}

// disjoint reports whether two conjunctions can never hold at once.
func disjoint(a, b []Condition) bool {
	for _, x := range a {
		for _, y := range b {
			if x.Arg == y.Arg && excludes(x, y) {
				return true
			}
		}
	}
	return false
}

// excludes reports whether two conditions on one argument can never both hold.
func excludes(x, y Condition) bool {
	common := x.judged() & y.judged()
	return x.Value&common != y.Value&common
}

// judged are the bits that a condition compares.
func (c Condition) judged() uint64 {
	if c.Op == CompareMaskedEqual {
		return c.Mask
	}
	return ^uint64(0)
}
