package seccomp

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Offsets in struct seccomp_data, in bytes.
const (
	offsetNumber = 0
	offsetArch   = 4
	offsetArgs   = 16
	dataSize     = 64
)

// Evaluate runs the program on one call as the kernel would. A notification comes
// back as ActNotify. An error wraps ErrProgram: the kernel would not have loaded
// the program, or it returned an action that no filter of this package has.
func (p Program) Evaluate(d Data) (Ruling, error) {
	if len(p) == 0 || len(p) > maxInstructions {
		return Ruling{}, fmt.Errorf("%w: %d instructions", ErrProgram, len(p))
	}
	machine := machine{data: d}
	for pc := 0; pc < len(p); pc++ {
		jump, done, err := machine.step(p[pc])
		if err != nil {
			return Ruling{}, fmt.Errorf("%w: instruction %d: %w", ErrProgram, pc, err)
		}
		if done {
			return rulingOf(machine.a)
		}
		pc += jump
	}
	return Ruling{}, fmt.Errorf("%w: control runs off the end", ErrProgram)
}

// machine is the state of classic BPF that seccomp filters use.
type machine struct {
	data    Data
	a, x    uint32
	scratch [16]uint32
}

// step runs one instruction. It returns how many to skip, or true when the
// accumulator holds the filter's result.
func (m *machine) step(i Instruction) (jump int, done bool, err error) {
	switch i.Code & 0x07 {
	case unix.BPF_LD:
		return 0, false, m.load(i)
	case unix.BPF_LDX:
		return 0, false, m.loadIndex(i)
	case unix.BPF_ST, unix.BPF_STX:
		return 0, false, m.store(i)
	case unix.BPF_ALU:
		return 0, false, m.compute(i)
	case unix.BPF_JMP:
		jump, err = m.jump(i)
		return jump, false, err
	case unix.BPF_RET:
		switch i.Code {
		case unix.BPF_RET | unix.BPF_K:
			m.a = i.K
			return 0, true, nil
		case unix.BPF_RET | unix.BPF_A:
			return 0, true, nil
		}
	case unix.BPF_MISC:
		switch i.Code {
		case unix.BPF_MISC | unix.BPF_TAX:
			m.x = m.a
			return 0, false, nil
		case unix.BPF_MISC | unix.BPF_TXA:
			m.a = m.x
			return 0, false, nil
		}
	}
	return 0, false, unknownCode(i)
}

func unknownCode(i Instruction) error { return fmt.Errorf("code %#x is not one of seccomp's", i.Code) }

func (m *machine) load(i Instruction) error {
	switch i.Code {
	case unix.BPF_LD | unix.BPF_W | unix.BPF_ABS:
		word, err := m.data.word(i.K)
		m.a = word
		return err
	case unix.BPF_LD | unix.BPF_IMM:
		m.a = i.K
	case unix.BPF_LD | unix.BPF_MEM:
		return m.cell(i.K, &m.a)
	case unix.BPF_LD | unix.BPF_W | unix.BPF_LEN:
		m.a = dataSize
	default:
		return unknownCode(i)
	}
	return nil
}

func (m *machine) loadIndex(i Instruction) error {
	switch i.Code {
	case unix.BPF_LDX | unix.BPF_IMM:
		m.x = i.K
	case unix.BPF_LDX | unix.BPF_MEM:
		return m.cell(i.K, &m.x)
	case unix.BPF_LDX | unix.BPF_W | unix.BPF_LEN:
		m.x = dataSize
	default:
		return unknownCode(i)
	}
	return nil
}

func (m *machine) cell(index uint32, to *uint32) error {
	if int(index) >= len(m.scratch) {
		return fmt.Errorf("scratch cell %d does not exist", index)
	}
	*to = m.scratch[index]
	return nil
}

func (m *machine) store(i Instruction) error {
	if int(i.K) >= len(m.scratch) {
		return fmt.Errorf("scratch cell %d does not exist", i.K)
	}
	switch i.Code {
	case unix.BPF_ST:
		m.scratch[i.K] = m.a
	case unix.BPF_STX:
		m.scratch[i.K] = m.x
	default:
		return unknownCode(i)
	}
	return nil
}

// operand is the constant or the index register, as the instruction says.
func (m *machine) operand(i Instruction) uint32 {
	if i.Code&unix.BPF_X != 0 {
		return m.x
	}
	return i.K
}

func (m *machine) compute(i Instruction) error {
	operand := m.operand(i)
	switch i.Code & 0xf0 {
	case unix.BPF_ADD:
		m.a += operand
	case unix.BPF_SUB:
		m.a -= operand
	case unix.BPF_MUL:
		m.a *= operand
	case unix.BPF_DIV:
		if operand == 0 {
			return fmt.Errorf("division by zero")
		}
		m.a /= operand
	case unix.BPF_AND:
		m.a &= operand
	case unix.BPF_OR:
		m.a |= operand
	case unix.BPF_XOR:
		m.a ^= operand
	case unix.BPF_LSH:
		m.a <<= operand & 31
	case unix.BPF_RSH:
		m.a >>= operand & 31
	case unix.BPF_NEG:
		m.a = -m.a
	default:
		return unknownCode(i)
	}
	return nil
}

func (m *machine) jump(i Instruction) (int, error) {
	operand, holds := m.operand(i), false
	switch i.Code & 0xf0 {
	case unix.BPF_JA:
		return int(i.K), nil
	case unix.BPF_JEQ:
		holds = m.a == operand
	case unix.BPF_JGT:
		holds = m.a > operand
	case unix.BPF_JGE:
		holds = m.a >= operand
	case unix.BPF_JSET:
		holds = m.a&operand != 0
	default:
		return 0, unknownCode(i)
	}
	if holds {
		return int(i.Jt), nil
	}
	return int(i.Jf), nil
}

// word reads 32 aligned bits of struct seccomp_data on a little-endian machine.
func (d Data) word(offset uint32) (uint32, error) {
	half := func(value uint64) uint32 { return uint32(value >> (8 * (offset % 8))) }
	switch {
	case offset%4 != 0 || offset >= dataSize:
		return 0, fmt.Errorf("offset %d is outside struct seccomp_data or not aligned", offset)
	case offset == offsetNumber:
		return uint32(d.Number), nil
	case offset == offsetArch:
		return d.Arch, nil
	case offset < offsetArgs:
		return half(d.InstructionPointer), nil
	default:
		return half(d.Args[(offset-offsetArgs)/8]), nil
	}
}

// rulingOf reads a filter's return value.
func rulingOf(value uint32) (Ruling, error) {
	switch value & unix.SECCOMP_RET_ACTION_FULL {
	case unix.SECCOMP_RET_ALLOW:
		return Ruling{Action: ActAllow}, nil
	case unix.SECCOMP_RET_USER_NOTIF:
		return Ruling{Action: ActNotify}, nil
	case unix.SECCOMP_RET_KILL_PROCESS:
		return Ruling{Action: ActKill}, nil
	case unix.SECCOMP_RET_ERRNO:
		return Ruling{ActErrno, uint16(value & unix.SECCOMP_RET_DATA)}, nil
	default:
		return Ruling{}, fmt.Errorf("%w: return value %#x is no action of a filter", ErrProgram, value)
	}
}
