package main

import (
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/seccomp"
	"github.com/pysandbox/pysandbox/seccomp/libseccomp"
)

// Every instruction of a real filter has words, and every jump a target.
func TestDisassemble(t *testing.T) {
	spec, err := seccomp.Layers("base", "net", "threads")
	if err != nil {
		t.Fatal(err)
	}
	program, err := libseccomp.Compile(spec)
	if err != nil {
		t.Fatal(err)
	}
	text := disassemble(program)
	if n := strings.Count(text, "\n"); n != len(program) {
		t.Errorf("%d lines for %d instructions", n, len(program))
	}
	for _, want := range []string{"ld  [arch]", "ld  [nr]", "jeq #0xc000003e, ", "ret allow", "ret notify", "ret errno ENOSYS", "ret kill process"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in the listing", want)
		}
	}
	if strings.Contains(text, "code 0x") {
		t.Error("an instruction has no words")
	}
}

func TestInstruction(t *testing.T) {
	for _, c := range []struct {
		in   seccomp.Instruction
		want string
	}{
		{seccomp.Instruction{Code: 0x20, K: 20}, "ld  [args[0], high]"},
		{seccomp.Instruction{Code: 0x20, K: 56}, "ld  [args[5], low]"},
		{seccomp.Instruction{Code: 0x54, K: 0xff}, "and #0xff"},
		{seccomp.Instruction{Code: 0x05, K: 3}, "ja  14"},
		{seccomp.Instruction{Code: 0x25, Jt: 0, Jf: 2, K: 7}, "jgt #0x7, 11, 13"},
		{seccomp.Instruction{Code: 0x06, K: 0x7ff00001}, "ret 0x7ff00001"},
		{seccomp.Instruction{Code: 0xffff, K: 1}, "code 0xffff jt 0 jf 0 k 0x1"},
	} {
		if got := instruction(10, c.in); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
