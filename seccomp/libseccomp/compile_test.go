package libseccomp

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	library "github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/seccomp"
)

func allLayers(tb testing.TB) seccomp.FilterSpec {
	tb.Helper()
	var names []string
	for _, l := range seccomp.LayerNames() {
		names = append(names, l.Name)
	}
	spec, err := seccomp.Layers(names...)
	if err != nil {
		tb.Fatal(err)
	}
	return spec
}

// TestProgramMeansTheSpec compares both meanings for every number, at every value
// that a rule of any call compares with, in every argument.
func TestProgramMeansTheSpec(t *testing.T) {
	spec := allLayers(t)
	program, err := Compile(spec)
	if err != nil {
		t.Fatal(err)
	}
	values := interestingValues(spec)
	numbers := append(seccomp.Numbers(), -1, -2, 335, 400, 423, 472, 1000, seccomp.X32Bit-1, seccomp.X32Bit, seccomp.X32Bit|59)
	random := rand.New(rand.NewPCG(1, 2))
	rules := rulesByCall(spec)
	for _, number := range numbers {
		alone := spec
		alone.Rules = rules[seccomp.Name(number)]
		for _, value := range values {
			for arg := range 6 {
				d := seccomp.Data{Number: number, Arch: seccomp.ArchX86_64, InstructionPointer: random.Uint64()}
				for i := range d.Args {
					d.Args[i] = values[random.IntN(len(values))]
				}
				d.Args[arg] = value
				if err := compare(&alone, program, d); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// interestingValues are those around which a condition of any call changes.
func interestingValues(spec seccomp.FilterSpec) []uint64 {
	values := []uint64{0, 1, ^uint64(0), 1 << 31, 1 << 32, 1 << 63}
	for _, rule := range spec.Rules {
		for _, c := range rule.Conditions {
			values = append(values, c.Value, c.Value|1<<32, c.Value|^c.Mask, c.Value^(c.Mask&-c.Mask))
		}
	}
	slices.Sort(values)
	return slices.Compact(values)
}

// Where there is a supervisor it hears of foreign calls, to kill for them; else the
// kernel does.
func TestNoCallOfOtherArchitecturesIsMade(t *testing.T) {
	asking := allLayers(t)
	for want, spec := range map[seccomp.Action]seccomp.FilterSpec{
		seccomp.ActNotify: asking,
		seccomp.ActKill:   asking.Static(),
	} {
		program, err := Compile(spec)
		if err != nil {
			t.Fatal(err)
		}
		for _, arch := range []uint32{0, seccomp.ArchI386, seccomp.ArchX86_64 ^ 1, unix.AUDIT_ARCH_AARCH64} {
			for number := int32(-1); number < 1024; number++ {
				got, err := program.Evaluate(seccomp.Data{Number: number, Arch: arch})
				if err != nil || got.Action != want {
					t.Fatalf("call %d of architecture %#x: %v, %v, want %v", number, arch, got, err, want)
				}
			}
		}
	}
}

// TestNumbersAgreeWithTheLibrary checks the table of calls against another one,
// which was made from the kernel's sources.
func TestNumbersAgreeWithTheLibrary(t *testing.T) {
	checked := 0
	for _, number := range seccomp.Numbers() {
		name := seccomp.Name(number)
		theirs, err := library.GetSyscallFromNameByArch(name, library.ArchAMD64)
		if err != nil || theirs < 0 {
			continue // newer than the library
		}
		checked++
		if int32(theirs) != number {
			t.Errorf("%s is %d here and %d there", name, number, theirs)
		}
	}
	if checked < 330 {
		t.Errorf("only %d names are known to both", checked)
	}
}

func TestCompileIsDeterministic(t *testing.T) {
	spec := allLayers(t)
	first, err := Compile(spec)
	if err != nil {
		t.Fatal(err)
	}
	second, err := Compile(spec)
	if err != nil || !slices.Equal(first, second) {
		t.Errorf("two programs of one spec differ, %v", err)
	}
}

func TestCompileRefuses(t *testing.T) {
	enosys := seccomp.Rule{
		Syscall: "read", Errno: uint16(unix.ENOSYS),
		Conditions: []seccomp.Condition{{Value: 1}},
	}
	for about, test := range map[string]struct {
		spec seccomp.FilterSpec
		want string
	}{
		"an invalid spec":             {seccomp.FilterSpec{Rules: []seccomp.Rule{{Syscall: "raed"}}}, "raed"},
		"what libseccomp cannot hold": {seccomp.FilterSpec{Rules: []seccomp.Rule{enosys}}, "read"},
	} {
		program, err := Compile(test.spec)
		if err == nil || program != nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %d instructions, %v", about, len(program), err)
		}
	}
}

// TestVerifyFindsDamage changes one instruction in turn. Verify must see all but the
// changes that have no effect: libseccomp masks the upper half of an int with 0
// before it compares it.
func TestVerifyFindsDamage(t *testing.T) {
	spec := allLayers(t)
	program, err := Compile(spec)
	if err != nil {
		t.Fatal(err)
	}
	if err := Verify(spec, program); err != nil {
		t.Fatal(err)
	}
	tried, missed := 0, 0
	for i := 0; i < len(program); i += 7 {
		damaged := slices.Clone(program)
		in := &damaged[i]
		switch in.Code & 7 {
		case unix.BPF_JMP:
			in.Jt, in.Jf = in.Jf, in.Jt
		case unix.BPF_RET:
			in.K ^= unix.SECCOMP_RET_ALLOW ^ unix.SECCOMP_RET_KILL_PROCESS
		default:
			in.K ^= 4
		}
		tried++
		if Verify(spec, damaged) == nil {
			missed++
			t.Logf("not seen: instruction %d of\n%s", i, program[max(0, i-2):min(len(program), i+3)].Disassemble())
		}
	}
	if missed > tried/8 {
		t.Errorf("%d of %d changes are not seen", missed, tried)
	}
}

// randomSpec reads rules of a few calls from bytes.
func randomSpec(code []byte) seccomp.FilterSpec {
	calls := []string{"read", "ioctl", "clone", "socket", "openat"}
	spec := seccomp.FilterSpec{Refused: seccomp.ActExplain}
	next := func() byte {
		if len(code) == 0 {
			return 0
		}
		b := code[0]
		code = code[1:]
		return b
	}
	word := func() uint64 {
		small := uint64(next()) % 8
		return small << (16 * (next() % 4))
	}
	for len(code) > 0 && len(spec.Rules) < 12 {
		rule := seccomp.Rule{Syscall: calls[int(next())%len(calls)], Action: seccomp.Action(next() % 5)}
		if rule.Action == seccomp.ActErrno || rule.Action == seccomp.ActExplain {
			rule.Errno = uint16(next() % 8)
		}
		for range next() % 4 {
			c := seccomp.Condition{Arg: next() % 4, Op: seccomp.CompareOp(next() % 2), Value: word()}
			if c.Op == seccomp.CompareMaskedEqual {
				c.Mask = word() | c.Value
			}
			rule.Conditions = append(rule.Conditions, c)
		}
		spec.Rules = append(spec.Rules, rule)
	}
	return spec
}

// FuzzCompile holds that a spec either does not compile or means what it says,
// for arguments that Verify did not choose.
func FuzzCompile(f *testing.F) {
	f.Add([]byte("\x01\x01\x00\x01\x02\x00\x05"), uint64(1))
	f.Add([]byte("\x00\x01\x01\x00\x06\x01\x02\x00\x02\x02\x01\x00\x04\x01\x02"), uint64(2))
	f.Fuzz(func(t *testing.T, code []byte, seed uint64) {
		spec := randomSpec(code)
		program, err := Compile(spec)
		if err != nil {
			return
		}
		random := rand.New(rand.NewPCG(seed, uint64(len(code))))
		values := interestingValues(spec)
		for _, rule := range spec.Rules {
			number, _ := seccomp.Number(rule.Syscall)
			for range 64 {
				d := seccomp.Data{Number: number, Arch: seccomp.ArchX86_64}
				for i := range d.Args {
					d.Args[i] = values[random.IntN(len(values))]
					if random.IntN(4) == 0 {
						d.Args[i] = random.Uint64() >> random.IntN(64)
					}
				}
				if err := compare(&spec, program, d); err != nil {
					t.Errorf("%v\n%+v", err, spec.Rules)
				}
			}
		}
	})
}

// FuzzFilter compares the shipped layers with their program for any call.
func FuzzFilter(f *testing.F) {
	spec := allLayers(f)
	program, err := Compile(spec)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(int32(16), seccomp.ArchX86_64, []byte("\x00\x00\x00\x00\x00\x00\x00\x00\x12\x54"))
	f.Fuzz(func(t *testing.T, number int32, arch uint32, args []byte) {
		d := seccomp.Data{Number: number, Arch: arch}
		for i := range d.Args {
			if len(args) >= 8*(i+1) {
				d.Args[i] = binary.LittleEndian.Uint64(args[8*i:])
			}
		}
		if err := compare(&spec, program, d); err != nil {
			t.Error(err)
		}
		d.Arch = seccomp.ArchX86_64
		if err := compare(&spec, program, d); err != nil {
			t.Error(err)
		}
	})
}
