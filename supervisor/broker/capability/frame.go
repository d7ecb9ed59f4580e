// Package capability carries frames between the host's client and a guest that
// holds capabilities. It bounds their size and rate, reads the notes that the
// guest writes to the supervisor, and looks into nothing else: what a frame
// means is decided at its two ends.
package capability

import (
	"errors"
	"fmt"
)

// MaxFrame is the size in bytes that a frame has at most. A SOCK_SEQPACKET
// socket with the buffers of a stock kernel (net.core.wmem_default, 212,992)
// takes one of this size; more data goes through the shared areas.
const MaxFrame = 128 << 10

// AreaSize is the size in bytes of each area for bulk data. It is sparse: what
// nobody writes costs nothing.
const AreaSize = 64 << 20

// Kind is the first element of a frame, which is an array.
type Kind uint8

// The kinds. cpython-shim/python/pysandbox_guest/_codec.py has the same.
const (
	Hello   Kind = iota // [0, version]: the guest is ready
	Call                // [1, id, target, method, args, kwargs]
	Return              // [2, id, value]
	Error               // [3, id, type, message, traceback or null]
	Release             // [4, reference, count]
	Cancel              // [5, id]
	Revoked             // [6, reference]
	Free                // [7, offset]: a region of the area was copied
	Note                // [8, operation, target, rule, errno, where]: for the supervisor
	Welcome             // [9, version, names]: from the supervisor to the client
	kindEnd
)

// talks says whether a frame has an answer, or is one.
func talks(k Kind) bool { return k == Call || k == Return || k == Error }

// Version is the version of the frames.
const Version = 2

// ErrFrame is wrapped by every error about a frame that the sender may not send.
var ErrFrame = errors.New("broken frame on the capability channel")

// kindOf returns the kind of a frame without reading more of it: an array of at
// most 23 elements, whose first is a small unsigned integer (RFC 8949, 3).
func kindOf(frame []byte) (Kind, error) {
	switch {
	case len(frame) < 2:
		return 0, fmt.Errorf("%w: it has %d bytes", ErrFrame, len(frame))
	case len(frame) > MaxFrame:
		return 0, fmt.Errorf("%w: it has more than %d bytes", ErrFrame, MaxFrame)
	case frame[0] <= majorArray<<5 || frame[0] > majorArray<<5|23 || frame[1] >= byte(kindEnd):
		return 0, fmt.Errorf("%w: it begins with %#x", ErrFrame, frame[:2])
	}
	return Kind(frame[1]), nil
}
