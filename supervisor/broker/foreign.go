package broker

import (
	"fmt"

	"github.com/pysandbox/pysandbox/seccomp"
)

// ForeignCall is why Serve ends at a call of another architecture or of the x32
// ABI. The call has no answer, so it is never made and its caller does not return:
// the sandbox must be killed.
type ForeignCall struct {
	Call string // such as "x32 call 42"
}

func (f *ForeignCall) Error() string { return f.Call + ": only x86-64 calls exist in a sandbox" }

// checkForeign records a foreign call and returns it as an error. Handlers go by
// the number alone, so none may see one.
func (b *Broker) checkForeign(req *request) error {
	if !dataOf(&req.Notification).Foreign() {
		return nil
	}
	f := &ForeignCall{Call: foreignName(req.Arch, req.Syscall)}
	req.record = b.denial(req, "syscall", f.Call, ruleArchitecture)
	b.identify(req)
	b.sink.Record(*req.record)
	return f
}

func foreignName(arch uint32, number int32) string {
	switch arch {
	case seccomp.ArchX86_64:
		return fmt.Sprintf("x32 call %d", number&^seccomp.X32Bit)
	case seccomp.ArchI386:
		return fmt.Sprintf("i386 call %d", number)
	default:
		return fmt.Sprintf("call %d of architecture %#x", number, arch)
	}
}
