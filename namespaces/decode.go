package namespaces

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

var errTruncated = errors.New("it is truncated")

// Decode reads what Encode wrote. It accepts nothing that the stage would
// refuse: wrong magic or size, tables outside the input, a pool without an
// ending NUL. An Op without data has nil Data.
func Decode(encoded []byte) (Program, error) {
	p, err := decode(encoded)
	if err != nil {
		return nil, fmt.Errorf("decode setup operations: %w", err)
	}
	return p, nil
}

func decode(encoded []byte) (Program, error) {
	if len(encoded) < encodedHeaderSize {
		return nil, errTruncated
	}
	le := binary.LittleEndian
	magic, size := le.Uint32(encoded), le.Uint32(encoded[4:])
	count, offset := uint64(le.Uint32(encoded[8:])), uint64(le.Uint32(encoded[12:]))
	switch {
	case magic != encodedMagic:
		return nil, fmt.Errorf("magic is %#x, not %#x: another version wrote it", magic, encodedMagic)
	case uint64(size) != uint64(len(encoded)) || size > MaxEncodedSize:
		return nil, fmt.Errorf("header says %d bytes, there are %d", size, len(encoded))
	case encodedHeaderSize+count*encodedOpSize > offset, offset >= uint64(size), encoded[size-1] != 0:
		return nil, errTruncated
	}
	ops, pool := encoded[encodedHeaderSize:], encoded[offset:]
	p := make(Program, count)
	for i := range p {
		if err := p[i].decode(ops[i*encodedOpSize:], pool); err != nil {
			return nil, fmt.Errorf("operation %d: %w", i, err)
		}
	}
	return p, nil
}

func (op *Op) decode(raw, pool []byte) (err error) {
	le := binary.LittleEndian
	op.Code, op.Flags = OpCode(le.Uint16(raw)), le.Uint16(raw[2:])
	if op.S1, err = stringAt(pool, le.Uint32(raw[4:])); err != nil {
		return err
	}
	if op.S2, err = stringAt(pool, le.Uint32(raw[8:])); err != nil {
		return err
	}
	start, length := uint64(le.Uint32(raw[12:])), uint64(le.Uint32(raw[16:]))
	if start+length > uint64(len(pool)) {
		return errTruncated
	}
	if length > 0 {
		op.Data = slices.Clone(pool[start : start+length])
	}
	op.N1, op.N2, op.N3 = le.Uint64(raw[24:]), le.Uint64(raw[32:]), le.Uint64(raw[40:])
	return nil
}

// stringAt reads a NUL-terminated string; the pool ends with a NUL.
func stringAt(pool []byte, at uint32) (string, error) {
	if uint64(at) >= uint64(len(pool)) {
		return "", errTruncated
	}
	rest := pool[at:]
	return string(rest[:bytes.IndexByte(rest, 0)]), nil
}
