package seccomp

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// Disassemble returns one line for each instruction: its number, what it does in
// the words of bpf_asm(1), with jumps by the numbers of their targets, and the
// name of the call that a number stands for.
func (p Program) Disassemble() string {
	var text strings.Builder
	width := len(fmt.Sprint(len(p) - 1))
	for at, loaded := range p.accumulators() {
		fmt.Fprintf(&text, "%*d: %s\n", width, at, p[at].text(at, loaded))
	}
	return text.String()
}

// What the accumulator holds before an instruction: a word of struct
// seccomp_data, by its offset, or one of these.
const (
	notReached = -2
	computed   = -1 // something else, or one thing or another
)

// accumulators returns what the accumulator holds before each instruction. Jumps
// only go forward, so one pass finds it.
func (p Program) accumulators() []int {
	holds := make([]int, len(p))
	for at := range holds {
		holds[at] = notReached
	}
	reach := func(at, value int) {
		switch {
		case at >= len(p):
		case holds[at] == notReached:
			holds[at] = value
		case holds[at] != value:
			holds[at] = computed
		}
	}
	reach(0, computed)
	for at, i := range p {
		switch after := holds[at]; i.Code & 0x07 {
		case unix.BPF_RET:
		case unix.BPF_JMP:
			if i.Code == unix.BPF_JMP|unix.BPF_JA {
				reach(at+1+int(i.K), after)
				continue
			}
			reach(at+1+int(i.Jt), after)
			reach(at+1+int(i.Jf), after)
		case unix.BPF_LD:
			after = computed
			if i.Code == unix.BPF_LD|unix.BPF_W|unix.BPF_ABS {
				after = int(i.K)
			}
			reach(at+1, after)
		case unix.BPF_ALU, unix.BPF_MISC:
			reach(at+1, computed)
		default:
			reach(at+1, after)
		}
	}
	return holds
}

// text writes one instruction; loaded is what the accumulator holds before it.
func (i Instruction) text(at, loaded int) string {
	switch i.Code {
	case unix.BPF_LD | unix.BPF_W | unix.BPF_ABS:
		return "ld   " + fieldText(i.K)
	case unix.BPF_LD | unix.BPF_IMM:
		return fmt.Sprintf("ld   #%#x", i.K)
	case unix.BPF_ALU | unix.BPF_AND | unix.BPF_K:
		return fmt.Sprintf("and  #%#x", i.K)
	case unix.BPF_JMP | unix.BPF_JA:
		return fmt.Sprintf("ja   %d", at+1+int(i.K))
	case unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K:
		return i.jumpText("jeq", at, loaded)
	case unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K:
		return i.jumpText("jgt", at, loaded)
	case unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K:
		return i.jumpText("jge", at, loaded)
	case unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K:
		return i.jumpText("jset", at, loaded)
	case unix.BPF_RET | unix.BPF_K:
		return "ret  " + resultText(i.K)
	default:
		return fmt.Sprintf("code %#04x jt %d jf %d k %#x", i.Code, i.Jt, i.Jf, i.K)
	}
}

func (i Instruction) jumpText(name string, at, loaded int) string {
	text := fmt.Sprintf("%-4s #%#x, %d, %d", name, i.K, at+1+int(i.Jt), at+1+int(i.Jf))
	switch call := Name(int32(i.K)); {
	case loaded == offsetNumber && call != "":
		return text + " ; " + call
	case loaded == offsetArch && i.K == ArchX86_64:
		return text + " ; x86-64"
	default:
		return text
	}
}

// fieldText names a word of struct seccomp_data on a little-endian machine.
func fieldText(offset uint32) string {
	half := "low"
	if offset%8 == 4 {
		half = "high"
	}
	switch {
	case offset%4 != 0 || offset >= dataSize:
		return fmt.Sprintf("[%d]", offset)
	case offset == offsetNumber:
		return "[nr]"
	case offset == offsetArch:
		return "[arch]"
	case offset < offsetArgs:
		return "[instruction_pointer, " + half + "]"
	default:
		return fmt.Sprintf("[args[%d], %s]", (offset-offsetArgs)/8, half)
	}
}

// resultText names a return value of a filter.
func resultText(value uint32) string {
	ruling, err := rulingOf(value)
	if err != nil {
		return fmt.Sprintf("%#x", value)
	}
	return ruling.String()
}
