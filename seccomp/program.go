package seccomp

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrProgram is wrapped by errors about a BPF program that is not one the kernel
// would load as a seccomp filter.
var ErrProgram = errors.New("not a seccomp program")

// maxInstructions is the length at which the kernel refuses a program (BPF_MAXINSNS).
const maxInstructions = 4096

// instructionSize is the size of struct sock_filter in bytes.
const instructionSize = 8

// Bytes returns the program as an array of struct sock_filter (linux/filter.h),
// in the byte order of x86-64.
func (p Program) Bytes() []byte {
	code := make([]byte, 0, len(p)*instructionSize)
	for _, i := range p {
		code = binary.LittleEndian.AppendUint16(code, i.Code)
		code = append(code, i.Jt, i.Jf)
		code = binary.LittleEndian.AppendUint32(code, i.K)
	}
	return code
}

// ParseProgram reads what Bytes returns. The error wraps ErrProgram when the
// length is not that of a program the kernel would load.
func ParseProgram(code []byte) (Program, error) {
	length := len(code) / instructionSize
	if len(code)%instructionSize != 0 || length == 0 || length > maxInstructions {
		return nil, fmt.Errorf("%w: %d bytes", ErrProgram, len(code))
	}
	program := make(Program, length)
	for i := range program {
		at := code[i*instructionSize:]
		program[i] = Instruction{
			Code: binary.LittleEndian.Uint16(at),
			Jt:   at[2],
			Jf:   at[3],
			K:    binary.LittleEndian.Uint32(at[4:]),
		}
	}
	return program, nil
}
