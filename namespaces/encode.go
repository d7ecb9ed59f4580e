package namespaces

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// The encoded form is struct psb_header, then the operations as struct psb_op,
// then a pool of strings and data; cpython-shim/wire.h has the layout. All
// numbers are little endian.
const (
	encodedMagic      = 0x31425350 // "PSB1"
	encodedHeaderSize = 16
	encodedOpSize     = 48

	// MaxEncodedSize is the most bytes that an encoded program may have; the
	// stage refuses more.
	MaxEncodedSize = 64 << 20

	// maxPath is PATH_MAX of the kernel, which counts the ending NUL.
	maxPath = 4096
)

// Encode returns the form of p that the stage runs. Equal programs have equal
// encodings. Encode does not check the order of operations; Validate does.
//
// The pool begins with a NUL, so offset 0 is the empty string, and it ends with
// one, so that no string can run out of the mapping.
func (p Program) Encode() ([]byte, error) {
	room := 2
	for _, op := range p {
		room += len(op.S1) + len(op.S2) + len(op.Data) + 2
	}
	pool := newPool(room)
	ops := make([]byte, 0, encodedOpSize*len(p))
	for i, op := range p {
		var err error
		if ops, err = pool.appendOp(ops, op); err != nil {
			return nil, fmt.Errorf("encode setup operation %d (%v): %w", i, op.Code, err)
		}
	}
	pool.bytes = append(pool.bytes, 0)
	offset := encodedHeaderSize + len(ops)
	size := offset + len(pool.bytes)
	if size > MaxEncodedSize {
		return nil, fmt.Errorf("encode setup operations: they take %d bytes, at most %d are possible; pass large data in a file", size, MaxEncodedSize)
	}
	out := make([]byte, 0, size)
	for _, number := range []int{encodedMagic, size, len(p), offset} {
		out = binary.LittleEndian.AppendUint32(out, uint32(number)) // all below MaxEncodedSize or constant
	}
	return append(append(out, ops...), pool.bytes...), nil
}

// pool collects strings and data; what occurs twice is stored once.
type pool struct {
	bytes  []byte
	starts map[string]uint32
}

// newPool returns a pool with room for so many bytes.
func newPool(room int) *pool {
	return &pool{bytes: make([]byte, 1, room), starts: make(map[string]uint32)}
}

func (p *pool) appendOp(out []byte, op Op) ([]byte, error) {
	for _, s := range []string{op.S1, op.S2} {
		switch {
		case strings.IndexByte(s, 0) >= 0:
			return nil, fmt.Errorf("%q holds a NUL, which ends a string in the kernel", s)
		case len(s) >= maxPath:
			return nil, fmt.Errorf("a path of %d bytes is longer than the kernel's limit of %d: %q…", len(s), maxPath-1, s[:64])
		}
	}
	if len(op.Data) > MaxEncodedSize {
		return nil, fmt.Errorf("%d bytes of data are more than the limit of %d", len(op.Data), MaxEncodedSize)
	}
	le := binary.LittleEndian
	out = le.AppendUint16(out, uint16(op.Code))
	out = le.AppendUint16(out, op.Flags)
	out = le.AppendUint32(out, p.add(op.S1+"\x00"))
	out = le.AppendUint32(out, p.add(op.S2+"\x00"))
	out = le.AppendUint32(out, p.addData(op.Data))
	out = le.AppendUint32(out, uint32(len(op.Data)))
	out = le.AppendUint32(out, 0) // reserved
	for _, n := range []uint64{op.N1, op.N2, op.N3} {
		out = le.AppendUint64(out, n)
	}
	return out, nil
}

// addData is add for bytes. What is longer than any path occurs once, a filter
// above all, and is not copied to be found again.
func (p *pool) addData(content []byte) uint32 {
	if len(content) < maxPath {
		return p.add(string(content))
	}
	at := uint32(len(p.bytes))
	p.bytes = append(p.bytes, content...)
	return at
}

// add returns the offset of content in the pool.
func (p *pool) add(content string) uint32 {
	if content == "" || content == "\x00" {
		return 0
	}
	if at, ok := p.starts[content]; ok {
		return at
	}
	at := uint32(len(p.bytes))
	p.bytes = append(p.bytes, content...)
	p.starts[content] = at
	return at
}
