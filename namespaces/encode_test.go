package namespaces_test

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/namespaces"
)

func TestEncodeRoundTrip(t *testing.T) {
	for name, program := range map[string]namespaces.Program{
		"empty":    {},
		"skeleton": namespaces.Skeleton(),
		"complete": completeProgram(t),
		"all fields": {{
			Code: namespaces.OpBind, Flags: 0xffff, S1: "/a", S2: "/ä\n", Data: []byte("x\x00y"),
			N1: 1<<64 - 1, N2: 1 << 63, N3: 7,
		}},
	} {
		encoded, err := program.Encode()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if decoded := decode(encoded); !reflect.DeepEqual(decoded, program) {
			t.Errorf("%s: decoded\n%v\nwant\n%v", name, decoded, program)
		}
		again, err := program.Encode()
		if err != nil || !bytes.Equal(encoded, again) {
			t.Errorf("%s: a second encoding differs (%v)", name, err)
		}
	}
}

// TestEncodedLayout writes down the bytes, so that every change of them is noticed;
// wire.h of cpython-shim asserts the sizes of the C structs.
func TestEncodedLayout(t *testing.T) {
	encoded, err := namespaces.Program{{
		Code: 0x0102, Flags: 0x0304, S1: "ab", S2: "ab", Data: []byte{9}, N1: 5, N2: 6, N3: 7,
	}}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	want := []byte("PSB1")
	for _, n := range []uint32{16 + 48 + 6, 1, 16 + 48} {
		want = binary.LittleEndian.AppendUint32(want, n)
	}
	want = append(want, 2, 1, 4, 3)
	for _, n := range []uint32{1, 1, 4, 1, 0} {
		want = binary.LittleEndian.AppendUint32(want, n)
	}
	for _, n := range []uint64{5, 6, 7} {
		want = binary.LittleEndian.AppendUint64(want, n)
	}
	want = append(want, "\x00ab\x00\x09\x00"...)
	if !bytes.Equal(encoded, want) {
		t.Errorf("encoded\n%x\nwant\n%x", encoded, want)
	}
}

func TestEncodeStoresEqualStringsOnce(t *testing.T) {
	once, err := namespaces.Program{{Code: namespaces.OpMkdir, S1: "/usr/lib"}}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	twice, err := namespaces.Program{{Code: namespaces.OpMkdir, S1: "/usr/lib", S2: "/usr/lib"}}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if len(once) != len(twice) {
		t.Errorf("a repeated string takes %d more bytes", len(twice)-len(once))
	}
}

func TestEncodeRefuses(t *testing.T) {
	for want, op := range map[string]namespaces.Op{
		"NUL":             {Code: namespaces.OpMkdir, S1: "/a\x00b"},
		"longer than":     {Code: namespaces.OpMkdir, S1: "/" + strings.Repeat("a", 4095)},
		"bytes of data":   {Code: namespaces.OpFile, S1: "/a", Data: make([]byte, namespaces.MaxEncodedSize+1)},
		"at most 6710886": {Code: namespaces.OpFile, S1: "/a", Data: make([]byte, namespaces.MaxEncodedSize)},
	} {
		_, err := namespaces.Program{op}.Encode()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got error %v", want, err)
		}
	}
	longest := namespaces.Op{Code: namespaces.OpMkdir, S1: "/" + strings.Repeat("a", 4094)}
	if _, err := (namespaces.Program{longest}).Encode(); err != nil {
		t.Errorf("the longest path: %v", err)
	}
}

func FuzzEncode(f *testing.F) {
	f.Add(uint16(namespaces.OpBind), uint16(0xffff), "/a", "/ä\n", []byte("x\x00y"), uint64(1)<<63)
	f.Add(uint16(namespaces.OpJoinGroup), uint16(0), "", "/a", []byte(nil), uint64(2))
	f.Fuzz(func(t *testing.T, code, flags uint16, s1, s2 string, data []byte, n uint64) {
		if len(data) == 0 {
			data = nil
		}
		op := namespaces.Op{Code: namespaces.OpCode(code), Flags: flags, S1: s1, S2: s2, Data: data, N1: n, N2: ^n, N3: n >> 1}
		program := namespaces.Program{op, {Code: namespaces.OpMkdir, S1: s2}, op}
		_ = program.String()
		_ = program.Validate()
		encoded, err := program.Encode()
		if err != nil {
			return // a NUL in a string, or a path that is longer than the kernel's limit
		}
		if decoded := decode(encoded); !reflect.DeepEqual(decoded, program) {
			t.Errorf("decoded\n%v\nwant\n%v", decoded, program)
		}
	})
}

// decode reads what Encode wrote, as plan.c of cpython-shim does. No data is nil.
func decode(encoded []byte) namespaces.Program {
	le := binary.LittleEndian
	program := make(namespaces.Program, le.Uint32(encoded[8:]))
	pool := encoded[le.Uint32(encoded[12:]):]
	text := func(at uint32) string {
		end := bytes.IndexByte(pool[at:], 0)
		return string(pool[at:][:end])
	}
	for i := range program {
		raw := encoded[16+48*i:]
		program[i] = namespaces.Op{
			Code: namespaces.OpCode(le.Uint16(raw)), Flags: le.Uint16(raw[2:]),
			S1: text(le.Uint32(raw[4:])), S2: text(le.Uint32(raw[8:])),
			N1: le.Uint64(raw[24:]), N2: le.Uint64(raw[32:]), N3: le.Uint64(raw[40:]),
		}
		if size := le.Uint32(raw[16:]); size > 0 {
			program[i].Data = pool[le.Uint32(raw[12:]):][:size]
		}
	}
	return program
}
