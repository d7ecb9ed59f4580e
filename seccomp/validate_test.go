package seccomp_test

import (
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/seccomp"
)

func equal(arg uint8, value uint64) seccomp.Condition {
	return seccomp.Condition{Arg: arg, Op: seccomp.CompareEqual, Value: value}
}

func masked(arg uint8, mask, value uint64) seccomp.Condition {
	return seccomp.Condition{Arg: arg, Op: seccomp.CompareMaskedEqual, Mask: mask, Value: value}
}

func allowRule(call string, conditions ...seccomp.Condition) seccomp.Rule {
	return seccomp.Rule{Syscall: call, Action: seccomp.ActAllow, Conditions: conditions, Why: "this"}
}

func refuseRule(call string, conditions ...seccomp.Condition) seccomp.Rule {
	return seccomp.Rule{Syscall: call, Conditions: conditions, Why: "that"}
}

func TestValidateRefuses(t *testing.T) {
	for about, test := range map[string]struct {
		rules []seccomp.Rule
		want  string // empty: valid
	}{
		"nothing":                     {nil, ""},
		"an unknown call":             {[]seccomp.Rule{allowRule("raed")}, `rule 0, raed: unknown system call "raed"; did you mean "read"?`},
		"an argument too many":        {[]seccomp.Rule{allowRule("read", equal(6, 0))}, "argument 6 does not exist"},
		"one argument twice":          {[]seccomp.Rule{allowRule("read", masked(1, 1, 1), masked(1, 2, 2))}, "argument 1 is compared twice"},
		"a value outside its mask":    {[]seccomp.Rule{allowRule("read", masked(1, 1, 2))}, "can never be 0x2 under mask 0x1"},
		"an unknown comparison":       {[]seccomp.Rule{allowRule("read", seccomp.Condition{Op: 99})}, "comparison 99"},
		"an unknown action":           {[]seccomp.Rule{{Syscall: "read", Action: 99}}, "action 99 is unknown"},
		"an errno too large":          {[]seccomp.Rule{{Syscall: "read", Errno: 4096}}, "errno 4096 is above 4095"},
		"an errno of an allowed call": {[]seccomp.Rule{{Syscall: "read", Action: seccomp.ActAllow, Errno: 1}}, "errno 1 has no meaning"},
		"two for otherwise":           {[]seccomp.Rule{allowRule("read"), refuseRule("read")}, "two rules say what happens otherwise"},
		"otherwise and a condition":   {[]seccomp.Rule{allowRule("read"), refuseRule("read", equal(0, 1))}, ""},
		"the same value":              {[]seccomp.Rule{allowRule("read", equal(0, 1)), refuseRule("read", equal(0, 1))}, `"that" and "this" may hold at once`},
		"another value":               {[]seccomp.Rule{allowRule("read", equal(0, 1)), refuseRule("read", equal(0, 2))}, ""},
		"another argument":            {[]seccomp.Rule{allowRule("read", equal(0, 1)), refuseRule("read", equal(1, 2))}, "may hold at once"},
		"another call":                {[]seccomp.Rule{allowRule("read", equal(0, 1)), refuseRule("write", equal(0, 1))}, ""},
		"overlap without difference":  {[]seccomp.Rule{allowRule("read", equal(0, 1)), allowRule("read", equal(1, 2))}, ""},
		"masks without common bits":   {[]seccomp.Rule{allowRule("read", masked(0, 1, 1)), refuseRule("read", masked(0, 2, 2))}, "may hold at once"},
		"masks that exclude":          {[]seccomp.Rule{allowRule("read", masked(0, 3, 1)), refuseRule("read", masked(0, 2, 2))}, ""},
		"a value under a mask":        {[]seccomp.Rule{allowRule("read", masked(0, 1, 1)), refuseRule("read", equal(0, 5))}, "may hold at once"},
		"a value against a mask":      {[]seccomp.Rule{allowRule("read", masked(0, 1, 1)), refuseRule("read", equal(0, 4))}, ""},
	} {
		spec := seccomp.FilterSpec{Rules: test.rules}
		err := spec.Validate()
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", about, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: %v, want %s", about, err, test.want)
		}
	}
	refused := seccomp.FilterSpec{Refused: 99}
	if err := refused.Validate(); err == nil || !strings.Contains(err.Error(), "refused calls: action 99") {
		t.Errorf("an unknown refusal gives %v", err)
	}
}

// TestTheZeroSpecRefusesAll is the property that a forgotten field cannot open a
// filter.
func TestTheZeroSpecRefusesAll(t *testing.T) {
	var spec seccomp.FilterSpec
	for _, number := range seccomp.Numbers() {
		got, _ := spec.Ruling(seccomp.Data{Number: number, Arch: seccomp.ArchX86_64})
		if got != quiet(1) {
			t.Fatalf("%s is %v", seccomp.Name(number), got)
		}
	}
	if (seccomp.Condition{Arg: 7}).Holds([6]uint64{}) || (seccomp.Condition{Op: 99}).Holds([6]uint64{}) {
		t.Error("a condition that makes no sense holds")
	}
}
