package main

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/seccomp"
)

// disassemble writes a filter as one line for each instruction, in the words of
// bpf_asm(1), with jumps as line numbers and results by name.
func disassemble(program seccomp.Program) string {
	var out strings.Builder
	width := len(fmt.Sprint(len(program) - 1))
	for at, in := range program {
		fmt.Fprintf(&out, "%*d: %s\n", width, at, instruction(at, in))
	}
	return out.String()
}

func instruction(at int, in seccomp.Instruction) string {
	switch in.Code {
	case unix.BPF_LD | unix.BPF_W | unix.BPF_ABS:
		return "ld  " + dataField(in.K)
	case unix.BPF_LD | unix.BPF_IMM:
		return fmt.Sprintf("ld  #%#x", in.K)
	case unix.BPF_ALU | unix.BPF_AND | unix.BPF_K:
		return fmt.Sprintf("and #%#x", in.K)
	case unix.BPF_JMP | unix.BPF_JA:
		return fmt.Sprintf("ja  %d", at+1+int(in.K))
	case unix.BPF_RET | unix.BPF_K:
		return "ret " + result(in.K)
	}
	jumps := map[uint16]string{
		unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K:  "jeq",
		unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K:  "jgt",
		unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K:  "jge",
		unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K: "jset",
	}
	if name, ok := jumps[in.Code]; ok {
		return fmt.Sprintf("%-3s #%#x, %d, %d", name, in.K, at+1+int(in.Jt), at+1+int(in.Jf))
	}
	return fmt.Sprintf("code %#04x jt %d jf %d k %#x", in.Code, in.Jt, in.Jf, in.K)
}

// dataField names a word of struct seccomp_data (seccomp(2)) on a little-endian
// machine.
func dataField(offset uint32) string {
	const args = 16
	switch {
	case offset == 0:
		return "[nr]"
	case offset == 4:
		return "[arch]"
	case offset == 8:
		return "[ip, low]"
	case offset == 12:
		return "[ip, high]"
	case offset >= args && offset < args+6*8 && offset%4 == 0:
		half := "low"
		if offset%8 == 4 {
			half = "high"
		}
		return fmt.Sprintf("[args[%d], %s]", (offset-args)/8, half)
	default:
		return fmt.Sprintf("[%d]", offset)
	}
}

// result names the return value of a filter (linux/seccomp.h).
func result(value uint32) string {
	const actionMask, dataMask = 0xffff0000, 0x0000ffff
	switch value & actionMask {
	case unix.SECCOMP_RET_ALLOW:
		return "allow"
	case unix.SECCOMP_RET_USER_NOTIF:
		return "notify"
	case unix.SECCOMP_RET_ERRNO:
		return "errno " + unix.ErrnoName(unix.Errno(value&dataMask))
	case unix.SECCOMP_RET_KILL_PROCESS:
		return "kill process"
	default:
		return fmt.Sprintf("%#x", value)
	}
}
