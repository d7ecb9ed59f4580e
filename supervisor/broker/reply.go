package broker

import (
	"syscall"

	"github.com/pysandbox/pysandbox/seccomp"
)

// reply is the answer to a call that was judged by guest memory or by what a
// descriptor refers to: both can change under the judge, so the call is denied
// or was performed. That the kernel go on with it cannot be said here. The zero
// reply denies with EPERM.
type reply struct {
	performed bool
	value     int64
	errno     syscall.Errno // of a denial, or what performing gave
	later     bool          // somebody else answers
}

func deny(errno syscall.Errno) reply { return reply{errno: errno} }

// performed says that the supervisor made the call, with the kernel's result.
func performed(value int64, errno syscall.Errno) reply {
	return reply{performed: true, value: value, errno: errno}
}

// postponed says that the answer comes from the pool or from pending.
func postponed() reply { return reply{later: true} }

func (r reply) response(id uint64) seccomp.Response {
	return seccomp.Response{ID: id, Value: r.value, Errno: r.errno, Perform: r.performed && r.errno == 0}
}

// layer is a part of the kernel that decides again, on the final object, about
// a call that the supervisor lets go on, or has decided for every object. The zero
// layer is none.
type layer uint8

const (
	noLayer           layer = iota
	mountsAndLandlock       // which files exist, and which of them may be executed
	landlockTCP             // no TCP socket binds to an address
	filterRegisters         // the registers alone permit the call, on every descriptor
)

// recheckedReply is the answer to a call that a kernel layer decides again. It
// alone can let the kernel go on, and must name the layer. The zero value denies
// with EPERM.
type recheckedReply struct {
	reply
	layer layer
}

func continueUnder(l layer) recheckedReply { return recheckedReply{layer: l} }

func denied(errno syscall.Errno) recheckedReply { return recheckedReply{reply: deny(errno)} }

func (r recheckedReply) response(id uint64) seccomp.Response {
	if r.layer != noLayer && !r.later {
		return seccomp.Response{ID: id, Continue: true}
	}
	return r.reply.response(id)
}
