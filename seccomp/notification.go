package seccomp

import "syscall"

// Notification is one trapped call: struct seccomp_notif of seccomp_unotify(2).
// PID is the thread id as seen from the supervisor's PID namespace.
type Notification struct {
	ID                 uint64
	PID                uint32
	Flags              uint32
	Syscall            int32
	Arch               uint32
	InstructionPointer uint64
	Args               [6]uint64
}

// Response answers one notification. The zero value (but for ID) denies with
// EPERM.
type Response struct {
	ID       uint64
	Value    int64         // return value when Errno is 0 and Perform is set
	Errno    syscall.Errno // error to return
	Perform  bool          // the supervisor did the call: return Value
	Continue bool          // the kernel runs the call; only where a layer below decides again
}
