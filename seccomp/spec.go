// Package seccomp describes system call filters as data, reads and evaluates
// compiled BPF, and speaks to a notification listener (seccomp_unotify(2)). It
// knows nothing of Python or of policy.
package seccomp

import "slices"

// Action is what becomes of a call at filter time. The zero value refuses with
// EPERM, so a forgotten entry fails closed.
type Action uint8

// The actions.
const (
	ActErrno   Action = iota // fail with Errno (0 means EPERM)
	ActAllow                 // run natively
	ActNotify                // ask the supervisor, which decides and acts
	ActKill                  // SECCOMP_RET_KILL_PROCESS
	ActExplain               // refused with Errno (0 means EPERM); the supervisor hears of it to report it
)

// CompareOp is a comparison of one 64-bit argument register.
type CompareOp uint8

// The comparisons. There is none by size: libseccomp up to 2.6.0 merges several of
// them in one call wrongly (GHSA-4q85-33p6-j5g6), and no filter needs one.
const (
	CompareEqual       CompareOp = iota
	CompareMaskedEqual           // (arg & Mask) == Value
)

// Condition compares argument register Arg (0 to 5).
//
// The kernel truncates an argument that it declares as int, so a condition on
// one must mask the upper half away: a register that differs only there is the
// same call.
type Condition struct {
	Arg   uint8
	Op    CompareOp
	Mask  uint64 // only for CompareMaskedEqual
	Value uint64
}

// Rule gives the action for one call when every condition holds.
type Rule struct {
	Syscall    string // kernel name, x86-64
	Action     Action
	Errno      uint16      // for ActErrno and ActExplain; 0 means EPERM
	Conditions []Condition // all must hold, one per argument at most; empty: otherwise
	Why        string      // one clause for explain and the published table
}

// FilterSpec is a whole filter: the rules, then what happens to everything else.
// The order of rules has no meaning: of the rules of one call at most one has no
// conditions and it decides when no other matches; Validate refuses two others
// that may hold at once and differ in their outcome.
//
// Calls of a foreign architecture, and numbers with the x32 bit, are in no rule: see
// Foreign.
type FilterSpec struct {
	Rules []Rule
	// Known calls without a matching rule get Refused; calls the kernel tables
	// of this build do not know get ENOSYS.
	Refused      Action
	RefusedErrno uint16
}

// Foreign is what a filter does with foreign calls, which no filter lets through. A
// filter that has a supervisor tells it, and it is to end the tree: so it is known
// what was tried, which the wait status of a kill by the kernel does not say, since a
// program can send itself SIGSYS. A filter that never asks leaves the kill to the
// kernel.
func (s *FilterSpec) Foreign() Ruling {
	asks := func(a Action) bool { return a == ActNotify || a == ActExplain }
	if asks(s.Refused) || slices.ContainsFunc(s.Rules, func(r Rule) bool { return asks(r.Action) }) {
		return Ruling{ActExplain, errnoMissing}
	}
	return Ruling{Action: ActKill}
}

// Instruction is one classic BPF instruction, laid out as struct sock_filter.
type Instruction struct {
	Code   uint16
	Jt, Jf uint8
	K      uint32
}

// Program is a compiled filter.
type Program []Instruction
