package seccomp

import "slices"

// Architecture tokens of linux/audit.h, as struct seccomp_data carries them.
const (
	ArchX86_64 uint32 = 0xc000003e
	ArchI386   uint32 = 0x40000003
)

// X32Bit marks a number of the x32 ABI, which shares its architecture token with
// x86-64 (__X32_SYSCALL_BIT).
const X32Bit int32 = 0x40000000

// errnoMissing is ENOSYS, errnoRefused is EPERM.
const (
	errnoMissing = 38
	errnoRefused = 1
)

// Data is one call as a filter sees it: struct seccomp_data of seccomp(2).
type Data struct {
	Number             int32
	Arch               uint32
	InstructionPointer uint64
	Args               [6]uint64
}

// Ruling is what a filter does with one call. Errno is set for ActErrno and, in
// the ruling of a FilterSpec, for ActExplain.
type Ruling struct {
	Action Action
	Errno  uint16
}

// Kernel returns the ruling as BPF can carry it: the kernel does not tell
// ActExplain from ActNotify.
func (r Ruling) Kernel() Ruling {
	if r.Action == ActExplain {
		return Ruling{Action: ActNotify}
	}
	return r
}

// Ruling decides one call by the spec's own meaning, without BPF. The rule is the
// one that decided, nil if none did. It is what a supervisor consults to explain
// a notification.
func (s *FilterSpec) Ruling(d Data) (Ruling, *Rule) {
	if d.Foreign() {
		return s.Foreign(), nil
	}
	name := Name(d.Number)
	if name == "" {
		return Ruling{ActErrno, errnoMissing}, nil
	}
	rule := s.match(name, d.Args)
	if rule == nil {
		return ruling(s.Refused, s.RefusedErrno), nil
	}
	return ruling(rule.Action, rule.Errno), rule
}

// Foreign reports whether a call is of another architecture or has the x32 bit.
func (d Data) Foreign() bool { return d.Arch != ArchX86_64 || isX32(d.Number) }

// isX32 reports whether a number has the x32 bit. All ones is no x32 call: it is
// what a tracer writes to skip a call, and the kernel answers it with ENOSYS.
func isX32(number int32) bool {
	return number != -1 && uint32(number) >= uint32(X32Bit)
}

func (s *FilterSpec) match(name string, args [6]uint64) *Rule {
	var otherwise *Rule
	for i := range s.Rules {
		rule := &s.Rules[i]
		switch {
		case rule.Syscall != name:
		case len(rule.Conditions) == 0:
			otherwise = rule
		case rule.holds(args):
			return rule
		}
	}
	return otherwise
}

func (r *Rule) holds(args [6]uint64) bool {
	return !slices.ContainsFunc(r.Conditions, func(c Condition) bool { return !c.Holds(args) })
}

// Holds reports whether the condition is true of the arguments. One that compares
// an argument that does not exist, or in an unknown way, is never true.
func (c Condition) Holds(args [6]uint64) bool {
	if int(c.Arg) >= len(args) {
		return false
	}
	value := args[c.Arg]
	switch c.Op {
	case CompareEqual:
		return value == c.Value
	case CompareMaskedEqual:
		return value&c.Mask == c.Value
	default:
		return false
	}
}

// ruling normalises an action and its errno.
func ruling(action Action, errno uint16) Ruling {
	switch action {
	case ActErrno, ActExplain:
		if errno == 0 {
			errno = errnoRefused
		}
		return Ruling{action, errno}
	default:
		return Ruling{Action: action}
	}
}
