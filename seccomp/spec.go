// Package seccomp describes system call filters as data, reads and evaluates
// compiled BPF, and speaks to a notification listener (seccomp_unotify(2)). It
// knows nothing of Python or of policy.
package seccomp

// Action is what the kernel does with a call at filter time. The zero value
// refuses with EPERM, so a forgotten entry fails closed.
type Action uint8

// The actions.
const (
	ActErrno  Action = iota // fail with Errno (0 means EPERM)
	ActAllow                // run natively
	ActNotify               // ask the supervisor
	ActKill                 // SECCOMP_RET_KILL_PROCESS
)

// CompareOp is a comparison of one 64-bit argument register.
type CompareOp uint8

// The comparisons that libseccomp offers.
const (
	CompareEqual CompareOp = iota
	CompareNotEqual
	CompareMaskedEqual // (arg & Mask) == Value
	CompareLess
	CompareLessEqual
	CompareGreater
	CompareGreaterEqual
)

// Condition compares argument register Arg (0 to 5).
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
	Errno      uint16      // for ActErrno
	Conditions []Condition // all must hold; empty: always
	Why        string      // one clause for explain and the published table
}

// FilterSpec is a whole filter: the rules, then what happens to everything else.
// Within one call the most specific rule must decide; Validate refuses overlaps
// that libseccomp would resolve by order.
type FilterSpec struct {
	Rules []Rule
	// Known calls without a matching rule get Refused; calls the kernel tables
	// of this build do not know get ENOSYS.
	Refused      Action
	RefusedErrno uint16
}

// Instruction is one classic BPF instruction, laid out as struct sock_filter.
type Instruction struct {
	Code   uint16
	Jt, Jf uint8
	K      uint32
}

// Program is a compiled filter.
type Program []Instruction
