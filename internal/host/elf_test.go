package host

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestObjectAgreesWithDebugELF reads every library and program of this machine
// both ways. debug/elf goes by sections, the loader and this package by segments.
func TestObjectAgreesWithDebugELF(t *testing.T) {
	compared := 0
	for _, tree := range []string{"/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib/python3", "/usr/bin"} {
		_ = filepath.WalkDir(tree, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.Type().IsRegular() && compareObject(t, path) {
				compared++
			}
			return nil
		})
	}
	if compared < 200 {
		t.Errorf("only %d files were compared", compared)
	}
}

func compareObject(t *testing.T, path string) bool {
	t.Helper()
	file, err := elf.Open(path)
	if err != nil {
		if _, err := readObject(path); err == nil {
			t.Errorf("%s is no ELF file for debug/elf", path)
		}
		return false
	}
	defer file.Close()
	got, err := readObject(path)
	if file.Machine != elf.Machine(elfMachine()) || file.Class != elf.ELFCLASS64 || file.Type == elf.ET_REL {
		return false
	}
	if err != nil {
		t.Errorf("%s: %v", path, err)
		return false
	}
	needed, err := file.ImportedLibraries()
	if err == nil && !slices.Equal(got.needed, needed) {
		t.Errorf("%s needs %v, debug/elf says %v", path, got.needed, needed)
	}
	runpath, _ := file.DynString(elf.DT_RUNPATH)
	if strings.Join(got.runpath, ":") != strings.Join(runpath, ":") {
		t.Errorf("%s: runpath %v, debug/elf says %v", path, got.runpath, runpath)
	}
	rpath, _ := file.DynString(elf.DT_RPATH)
	if len(runpath) == 0 && strings.Join(got.rpath, ":") != strings.Join(rpath, ":") {
		t.Errorf("%s: rpath %v, debug/elf says %v", path, got.rpath, rpath)
	}
	for _, segment := range file.Progs {
		if segment.Type == elf.PT_INTERP {
			text := make([]byte, segment.Filesz)
			_, _ = segment.ReadAt(text, 0)
			if want := string(bytes.TrimRight(text, "\x00")); got.interpreter != want {
				t.Errorf("%s: loader %q, debug/elf says %q", path, got.interpreter, want)
			}
		}
	}
	return true
}

func TestObjectRefusesWhatIsNoELF(t *testing.T) {
	valid, err := os.ReadFile("/usr/bin/env")
	if err != nil {
		t.Fatal(err)
	}
	otherMachine := slices.Clone(valid)
	otherMachine[18] = 3 // EM_386
	for name, data := range map[string][]byte{
		"empty":         nil,
		"script":        []byte("#!/bin/sh\n"),
		"magic only":    valid[:4],
		"header only":   valid[:64],
		"cut short":     valid[:1024],
		"other machine": otherMachine,
	} {
		if _, err := parseObject(bytes.NewReader(data)); err == nil {
			t.Errorf("%s was read as an object", name)
		}
	}
	if _, err := parseObject(bytes.NewReader(valid)); err != nil {
		t.Errorf("the unchanged file: %v", err)
	}
}

// smallObject lays out a library of a few hundred bytes: header, two segments,
// the dynamic section, its strings.
func smallObject(needed, runpath string) []byte {
	le := binary.LittleEndian
	const dynamicAt, dynamicSize = elfHeaderSize + 2*elfSegmentSize, 4 * 16
	const stringsAt = dynamicAt + dynamicSize
	text := "\x00" + needed + "\x00" + runpath + "\x00"
	data := make([]byte, stringsAt, stringsAt+len(text))
	data = append(data, text...)
	copy(data, "\x7fELF\x02\x01\x01")
	le.PutUint16(data[18:], elfMachine())
	le.PutUint64(data[32:], elfHeaderSize)
	le.PutUint16(data[54:], elfSegmentSize)
	le.PutUint16(data[56:], 2)
	for i, s := range []segment{
		{kind: segmentLoad, size: uint64(len(data))},
		{kind: segmentDynamic, offset: dynamicAt, address: dynamicAt, size: dynamicSize},
	} {
		header := data[elfHeaderSize+i*elfSegmentSize:]
		le.PutUint32(header, s.kind)
		le.PutUint64(header[8:], s.offset)
		le.PutUint64(header[16:], s.address)
		le.PutUint64(header[32:], s.size)
	}
	for i, entry := range [][2]uint64{{dynamicNeeded, 1}, {dynamicRunpath, uint64(2 + len(needed))}, {dynamicStrings, stringsAt}} {
		le.PutUint64(data[dynamicAt+i*16:], entry[0])
		le.PutUint64(data[dynamicAt+i*16+8:], entry[1])
	}
	return data
}

func TestSmallObjectIsRead(t *testing.T) {
	o, err := parseObject(bytes.NewReader(smallObject("libc.so.6", "$ORIGIN/../lib:/opt/lib")))
	if err != nil || !slices.Equal(o.needed, []string{"libc.so.6"}) || !slices.Equal(o.runpath, []string{"$ORIGIN/../lib", "/opt/lib"}) {
		t.Errorf("%+v (%v)", o, err)
	}
}

func FuzzParseObject(f *testing.F) {
	f.Add(smallObject("libc.so.6", "/opt/lib"))
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := parseObject(bytes.NewReader(data))
		if err == nil && len(o.needed) > maxNeeded {
			t.Errorf("%d libraries", len(o.needed))
		}
	})
}
