package seccomp

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// WithSyscalls returns the filter widened by names of layers or calls, and with
// other errnos for refused calls. A call of a layer comes with the conditions it
// has there. The error joins a *NameError for every entry that cannot be had.
func WithSyscalls(spec FilterSpec, allowed []string, errnos map[string]string) (FilterSpec, error) {
	rules := slices.Clone(spec.Rules)
	var problems []error
	for _, name := range allowed {
		added, err := granted(name)
		if err != nil {
			problems = append(problems, &NameError{Name: name, Err: err})
			continue
		}
		rules = merge(rules, added)
	}
	for _, name := range slices.Sorted(maps.Keys(errnos)) {
		changed, err := withErrno(rules, name, errnos[name])
		if err != nil {
			problems = append(problems, &NameError{Name: name, Errno: true, Err: err})
			continue
		}
		rules = changed
	}
	if err := errors.Join(problems...); err != nil {
		return FilterSpec{}, err
	}
	spec.Rules = rules
	return spec, nil
}

// NameError says why a name cannot be had.
type NameError struct {
	Name  string
	Errno bool // it stands among the errnos
	Err   error
}

func (e *NameError) Error() string {
	if e.Errno {
		return fmt.Sprintf("errno of %s: %v", e.Name, e.Err)
	}
	return fmt.Sprintf("allow %s: %v", e.Name, e.Err)
}

// Unwrap returns the reason.
func (e *NameError) Unwrap() error { return e.Err }

// granted returns the rules that a name stands for: a layer, a call as its layers
// have it, or a call of no layer whatever its arguments.
func granted(name string) ([]Rule, error) {
	all := layers()
	if l := findLayer(all, name); l != nil {
		var rules table
		l.rules(&rules)
		return rules.rules, nil
	}
	if _, known := Number(name); !known {
		return nil, fmt.Errorf("unknown system call or layer%s", didYouMean(name, append(callNames(), layerNames(all)...)))
	}
	if rule := ruleOf(never, name); rule != nil {
		return nil, fmt.Errorf("it is never available: %s", rule.Why)
	}
	if rules := rulesOf(name); len(rules) > 0 {
		return rules, nil
	}
	return []Rule{{Syscall: name, Action: ActAllow, Why: "allowed by the policy"}}, nil
}

// merge adds rules that let calls through. The general refusal of such a call
// goes, as does what stands already.
func merge(rules, added []Rule) []Rule {
	refusals := rulesIn(quietRefusals)
	rules = slices.DeleteFunc(rules, func(rule Rule) bool {
		return slices.ContainsFunc(refusals, func(r Rule) bool { return r.sameUse(&rule) }) &&
			slices.ContainsFunc(added, func(r Rule) bool { return r.Syscall == rule.Syscall })
	})
	for i := range added {
		stands := func(rule Rule) bool { return rule.sameUse(&added[i]) && rule.Action == added[i].Action }
		if !slices.ContainsFunc(rules, stands) {
			rules = append(rules, added[i])
		}
	}
	return trapsStand(rules)
}

// rulesOf returns the rules of one call in all layers.
func rulesOf(call string) []Rule {
	var rules []Rule
	for _, l := range layers() {
		for _, rule := range rulesIn(l.rules) {
			if rule.Syscall == call {
				rules = merge(rules, []Rule{rule})
			}
		}
	}
	return rules
}

func rulesIn(list func(*table)) []Rule {
	var rules table
	list(&rules)
	return rules.rules
}

// ruleOf returns the first rule of a call in a list, or nil.
func ruleOf(list func(*table), call string) *Rule {
	rules := rulesIn(list)
	i := slices.IndexFunc(rules, func(r Rule) bool { return r.Syscall == call })
	if i < 0 {
		return nil
	}
	return &rules[i]
}
