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
		decoded, err := namespaces.Decode(encoded)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !reflect.DeepEqual(decoded, program) {
			t.Errorf("%s: decoded\n%v\nwant\n%v", name, decoded, program)
		}
		again, err := program.Encode()
		if err != nil || !bytes.Equal(encoded, again) {
			t.Errorf("%s: a second encoding differs (%v)", name, err)
		}
	}
}

// TestEncodedLayout writes down the bytes, so that a change of both Encode and
// Decode is noticed; wire.h of cpython-shim asserts the sizes of the C structs.
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

func TestDecodeRefuses(t *testing.T) {
	good, err := namespaces.Program{{Code: namespaces.OpMkdir, S1: "/a", Data: []byte{1}}}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	put := func(at int, n uint32) []byte {
		b := bytes.Clone(good)
		binary.LittleEndian.PutUint32(b[at:], n)
		return b
	}
	for name, bad := range map[string][]byte{
		"nothing":        nil,
		"half a header":  good[:8],
		"another magic":  put(0, 1),
		"another size":   put(4, uint32(len(good))-1),
		"many ops":       put(8, 1<<31),
		"pool outside":   put(12, uint32(len(good))),
		"string outside": put(16+4, 1000),
		"data outside":   put(16+16, 1000),
		"no ending NUL":  append(bytes.Clone(good[:len(good)-1]), 1),
	} {
		if p, err := namespaces.Decode(bad); err == nil {
			t.Errorf("%s: decoded as %v", name, p)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, p := range []namespaces.Program{{}, namespaces.Skeleton()} {
		encoded, err := p.Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(encoded)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		program, err := namespaces.Decode(data)
		if err != nil {
			return
		}
		_ = program.String()
		_ = program.Validate()
		encoded, err := program.Encode()
		if err != nil {
			return // a path that is longer than the kernel's limit
		}
		again, err := namespaces.Decode(encoded)
		if err != nil || !reflect.DeepEqual(program, again) {
			t.Errorf("what was decoded does not survive encoding: %v", err)
		}
	})
}
