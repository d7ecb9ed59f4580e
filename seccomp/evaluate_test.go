package seccomp_test

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/seccomp"
	"github.com/pysandbox/pysandbox/seccomp/libseccomp"
)

const (
	loadWord   = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
	returnK    = unix.BPF_RET | unix.BPF_K
	returnA    = unix.BPF_RET | unix.BPF_A
	equalK     = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	errnoValue = unix.SECCOMP_RET_ERRNO
)

// TestEvaluateComputes runs each instruction of seccomp's BPF and reads the
// result as an errno.
func TestEvaluateComputes(t *testing.T) {
	d := seccomp.Data{
		Number: 7, Arch: 0x11, InstructionPointer: 0x22_0000_0033,
		Args: [6]uint64{0x44_0000_0055, 2, 3, 4, 5, 0x66_0000_0077},
	}
	alu := func(op uint16, k uint32) seccomp.Instruction {
		return seccomp.Instruction{Code: unix.BPF_ALU | op | unix.BPF_K, K: k}
	}
	at := func(offset uint32) seccomp.Instruction { return seccomp.Instruction{Code: loadWord, K: offset} }
	set := func(k uint32) seccomp.Instruction {
		return seccomp.Instruction{Code: unix.BPF_LD | unix.BPF_IMM, K: k}
	}
	setX := func(k uint32) seccomp.Instruction {
		return seccomp.Instruction{Code: unix.BPF_LDX | unix.BPF_IMM, K: k}
	}
	code := func(c uint16) seccomp.Instruction { return seccomp.Instruction{Code: c, K: 1} }
	for about, test := range map[string]struct {
		program []seccomp.Instruction
		want    uint16
	}{
		"number":                {[]seccomp.Instruction{at(0)}, 7},
		"architecture":          {[]seccomp.Instruction{at(4)}, 0x11},
		"pointer, low":          {[]seccomp.Instruction{at(8)}, 0x33},
		"pointer, high":         {[]seccomp.Instruction{at(12)}, 0x22},
		"first argument, low":   {[]seccomp.Instruction{at(16)}, 0x55},
		"first argument, high":  {[]seccomp.Instruction{at(20)}, 0x44},
		"last argument, low":    {[]seccomp.Instruction{at(56)}, 0x77},
		"last argument, high":   {[]seccomp.Instruction{at(60)}, 0x66},
		"constant":              {[]seccomp.Instruction{set(9)}, 9},
		"length":                {[]seccomp.Instruction{code(unix.BPF_LD | unix.BPF_W | unix.BPF_LEN)}, 64},
		"length in the index":   {[]seccomp.Instruction{code(unix.BPF_LDX | unix.BPF_W | unix.BPF_LEN), code(unix.BPF_MISC | unix.BPF_TXA)}, 64},
		"add":                   {[]seccomp.Instruction{set(9), alu(unix.BPF_ADD, 2)}, 11},
		"subtract":              {[]seccomp.Instruction{set(9), alu(unix.BPF_SUB, 2)}, 7},
		"multiply":              {[]seccomp.Instruction{set(9), alu(unix.BPF_MUL, 2)}, 18},
		"divide":                {[]seccomp.Instruction{set(9), alu(unix.BPF_DIV, 2)}, 4},
		"and":                   {[]seccomp.Instruction{set(9), alu(unix.BPF_AND, 12)}, 8},
		"or":                    {[]seccomp.Instruction{set(9), alu(unix.BPF_OR, 2)}, 11},
		"exclusive or":          {[]seccomp.Instruction{set(9), alu(unix.BPF_XOR, 8)}, 1},
		"shift left":            {[]seccomp.Instruction{set(9), alu(unix.BPF_LSH, 2)}, 36},
		"shift right":           {[]seccomp.Instruction{set(9), alu(unix.BPF_RSH, 2)}, 2},
		"negate":                {[]seccomp.Instruction{set(0xffffffff), alu(unix.BPF_NEG, 0)}, 1},
		"index as operand":      {[]seccomp.Instruction{setX(5), set(9), code(unix.BPF_ALU | unix.BPF_ADD | unix.BPF_X)}, 14},
		"to the index and back": {[]seccomp.Instruction{set(9), code(unix.BPF_MISC | unix.BPF_TAX), set(0), code(unix.BPF_MISC | unix.BPF_TXA)}, 9},
		"scratch":               {[]seccomp.Instruction{set(9), code(unix.BPF_ST), set(0), code(unix.BPF_LD | unix.BPF_MEM)}, 9},
		"scratch of the index":  {[]seccomp.Instruction{setX(9), code(unix.BPF_STX), setX(0), code(unix.BPF_LDX | unix.BPF_MEM), code(unix.BPF_MISC | unix.BPF_TXA)}, 9},
		"jump":                  {[]seccomp.Instruction{set(9), {Code: unix.BPF_JMP | unix.BPF_JA, K: 1}, set(1)}, 9},
		"equal":                 {[]seccomp.Instruction{set(9), {Code: equalK, K: 9, Jt: 1}, set(1)}, 9},
		"not equal":             {[]seccomp.Instruction{set(9), {Code: equalK, K: 8, Jf: 1}, set(1)}, 9},
		"greater":               {[]seccomp.Instruction{set(9), {Code: unix.BPF_JMP | unix.BPF_JGT, K: 9, Jf: 1}, set(1)}, 9},
		"greater or equal":      {[]seccomp.Instruction{set(9), {Code: unix.BPF_JMP | unix.BPF_JGE, K: 9, Jt: 1}, set(1)}, 9},
		"a bit in common":       {[]seccomp.Instruction{set(9), {Code: unix.BPF_JMP | unix.BPF_JSET, K: 8, Jt: 1}, set(1)}, 9},
	} {
		program := append(seccomp.Program(test.program),
			alu(unix.BPF_OR, errnoValue), seccomp.Instruction{Code: returnA})
		got, err := program.Evaluate(d)
		if err != nil || got != quiet(unix.Errno(test.want)) {
			t.Errorf("%s: %v, %v; want %d", about, got, err, test.want)
		}
	}
}

func TestEvaluateRefuses(t *testing.T) {
	done := seccomp.Instruction{Code: returnK, K: unix.SECCOMP_RET_ALLOW}
	for about, program := range map[string]seccomp.Program{
		"nothing":                     {},
		"too many instructions":       make(seccomp.Program, 4097),
		"no return":                   {{Code: loadWord}},
		"a jump past the end":         {{Code: unix.BPF_JMP | unix.BPF_JA, K: 100}, done},
		"a load past the data":        {{Code: loadWord, K: 64}, done},
		"a load that is not aligned":  {{Code: loadWord, K: 2}, done},
		"a load of a byte":            {{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS}, done},
		"a cell that does not exist":  {{Code: unix.BPF_ST, K: 16}, done},
		"a read of such a cell":       {{Code: unix.BPF_LD | unix.BPF_MEM, K: 16}, done},
		"a division by zero":          {{Code: unix.BPF_ALU | unix.BPF_DIV | unix.BPF_K}, done},
		"an unknown code":             {{Code: 0xffff}, done},
		"a return of the index":       {{Code: unix.BPF_RET | unix.BPF_X}, done},
		"an action of other programs": {{Code: returnK, K: unix.SECCOMP_RET_TRAP}},
	} {
		if got, err := program.Evaluate(seccomp.Data{}); !errors.Is(err, seccomp.ErrProgram) {
			t.Errorf("%s gives %v, %v", about, got, err)
		}
	}
}

func TestProgramBytesAndBack(t *testing.T) {
	program := seccomp.Program{{Code: 0x1234, Jt: 5, Jf: 6, K: 0x789abcde}, {Code: returnK}}
	code := program.Bytes()
	if string(code[:8]) != "\x34\x12\x05\x06\xde\xbc\x9a\x78" {
		t.Errorf("struct sock_filter is % x", code[:8])
	}
	back, err := seccomp.ParseProgram(code)
	if err != nil || len(back) != 2 || back[0] != program[0] || back[1] != program[1] {
		t.Errorf("read back as %v, %v", back, err)
	}
	for _, size := range []int{0, 7, 9, 8 * 4097} {
		if _, err := seccomp.ParseProgram(make([]byte, size)); !errors.Is(err, seccomp.ErrProgram) {
			t.Errorf("%d bytes give %v", size, err)
		}
	}
}

// TestDisassembleNamesEverything reads a real filter.
func TestDisassembleNamesEverything(t *testing.T) {
	program, err := libseccomp.Compile(layers(t, layerNames()...))
	if err != nil {
		t.Fatal(err)
	}
	text := program.Disassemble()
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) != len(program) {
		t.Errorf("%d lines for %d instructions", len(lines), len(program))
	}
	for _, want := range []string{
		"ld   [arch]", "ld   [nr]", "ld   [args[1], low]", "jeq  #0xc000003e, ", "; x86-64",
		"; openat\n", "; ptrace\n", "ret  allow", "ret  notify", "ret  ENOSYS", "ret  ENOTTY",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in the listing", want)
		}
	}
	if strings.Contains(text, "code 0x") {
		t.Error("an instruction has no words")
	}
	for i, in := range program {
		compares := in.Code&7 == unix.BPF_JMP && in.K == unix.TCGETS
		if compares && strings.Contains(lines[i], ";") {
			t.Errorf("a number that is no system call has the name of one: %s", lines[i])
		}
	}
}

func TestDisassembleTargets(t *testing.T) {
	program := seccomp.Program{
		{Code: loadWord, K: 0},
		{Code: equalK, K: unix.SYS_WRITE, Jt: 2, Jf: 0},
		{Code: loadWord, K: 20},
		{Code: equalK, K: 1, Jt: 0, Jf: 1},
		{Code: equalK, K: 1, Jt: 0, Jf: 0},
		{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: 255},
		{Code: unix.BPF_JMP | unix.BPF_JA, K: 0},
		{Code: returnK, K: unix.SECCOMP_RET_ERRNO | 13},
		{Code: 0xffff},
	}
	want := `0: ld   [nr]
1: jeq  #0x1, 4, 2 ; write
2: ld   [args[0], high]
3: jeq  #0x1, 4, 5
4: jeq  #0x1, 5, 5
5: and  #0xff
6: ja   7
7: ret  EACCES
8: code 0xffff jt 0 jf 0 k 0x0
`
	if got := program.Disassemble(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// FuzzEvaluate holds that no program makes the evaluator panic or hang.
func FuzzEvaluate(f *testing.F) {
	program, err := libseccomp.Compile(layers(f, "base"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(program.Bytes(), int32(1), uint64(1))
	f.Add([]byte("\x15\x00\xff\xff\x00\x00\x00\x00"), int32(1), uint64(1))
	f.Fuzz(func(t *testing.T, code []byte, number int32, arg uint64) {
		program, err := seccomp.ParseProgram(code)
		if err != nil {
			return
		}
		_, err = program.Evaluate(seccomp.Data{Number: number, Arch: seccomp.ArchX86_64, Args: [6]uint64{arg, arg}})
		if err != nil && !errors.Is(err, seccomp.ErrProgram) {
			t.Errorf("error of another kind: %v", err)
		}
		if got := strings.Count(program.Disassemble(), "\n"); got != len(program) {
			t.Errorf("%d lines for %d instructions", got, len(program))
		}
	})
}
