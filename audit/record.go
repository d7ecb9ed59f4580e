// Package audit defines the record of a decision, where records go, and how
// they fold into the violations of a report. It decides nothing.
package audit

import "time"

// Record is one decision. Strings may be controlled by the guest; writers
// escape them.
type Record struct {
	Time      time.Time
	Source    string // "kernel" or "guest"
	Verdict   string // "allow", "deny" or "ask"
	Operation string // "connect", "bind", "execve", ...
	Target    string // canonical object, such as "tcp://203.0.113.9:443"
	Original  string // as the program gave it, where it differs
	Name      string // host name the target came from, if any
	Rule      string
	Errno     string // name of the error given to the program, empty if none
	Hint      string // what would allow it, empty if nothing would
	Where     string // "file:line in function" in the program; only the guest can know it
	PID       int    // process id inside the sandbox, as os.getpid() gives it; 0 if unknown
	TID       int    // thread id inside the sandbox, as threading.get_native_id() gives it; 0 if unknown
	Latency   time.Duration
}

// The values of Record.Source and Record.Verdict.
const (
	SourceKernel = "kernel" // seen by the supervisor in a trapped call
	SourceGuest  = "guest"  // said by code inside: helpful, never proof
	Allow        = "allow"
	Deny         = "deny"
	Ask          = "ask" // the guest says where it asked; the kernel's record decides
)

// Sink receives records. Implementations must not block the caller.
type Sink interface{ Record(Record) }
