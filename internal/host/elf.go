package host

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
)

// object is what the loader (ld.so(8)) reads of an ELF file.
type object struct {
	interpreter string   // PT_INTERP: the loader; empty for a library
	needed      []string // DT_NEEDED, in order
	rpath       []string // DT_RPATH; empty where DT_RUNPATH stands
	runpath     []string // DT_RUNPATH
}

var errNotELF = errors.New("not an ELF program or library of this machine")

// errNoProgramOfThisMachine is why a file that has the mode of a program is none.
var errNoProgramOfThisMachine = fmt.Errorf("%w: no ELF program of this machine, and no script, which begins with a line such as #!/bin/sh", ErrNotExecutable)

// Numbers of elf(5) and of the gABI. A 64-bit little-endian file is the only
// kind that a 64-bit little-endian host loads for CPython.
const (
	elfHeaderSize  = 64
	elfSegmentSize = 56
	maxSegments    = 128
	maxDynamic     = 1 << 16 // bytes of the dynamic section
	maxNeeded      = 512
	maxElfString   = 4096 // bytes of a path in the dynamic string table

	segmentLoad        = 1
	segmentDynamic     = 2
	segmentInterpreter = 3

	dynamicNeeded  = 1
	dynamicStrings = 5
	dynamicRpath   = 15
	dynamicRunpath = 29
)

// readObject reads the program headers and the dynamic section of an ELF file.
// It never maps the file: one that shrinks meanwhile would end the process. The
// file may be hostile; every size is bounded.
func readObject(path string) (*object, error) {
	file, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	o, err := parseObject(file)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return o, nil
}

func parseObject(file io.ReaderAt) (*object, error) {
	var page [4096]byte
	n, err := file.ReadAt(page[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	segments, err := elfSegments(file, page[:n])
	if err != nil {
		return nil, err
	}
	o := &object{}
	for _, s := range segments {
		switch s.kind {
		case segmentInterpreter:
			o.interpreter, err = readString(file, s.offset, s.size)
		case segmentDynamic:
			err = o.readDynamic(file, s, segments)
		}
		if err != nil {
			return nil, err
		}
	}
	return o, nil
}

// segment is one program header.
type segment struct {
	kind                  uint32
	offset, address, size uint64
}

func elfSegments(file io.ReaderAt, head []byte) ([]segment, error) {
	le := binary.LittleEndian
	const class64, littleEndian = 2, 1
	if len(head) < elfHeaderSize || !bytes.HasPrefix(head, []byte("\x7fELF")) ||
		head[4] != class64 || head[5] != littleEndian || le.Uint16(head[18:]) != elfMachine() {
		return nil, errNotELF
	}
	offset, size, count := le.Uint64(head[32:]), le.Uint16(head[54:]), int(le.Uint16(head[56:]))
	if size != elfSegmentSize || count == 0 || count > maxSegments {
		return nil, errNotELF
	}
	table := make([]byte, count*elfSegmentSize)
	if end := offset + uint64(len(table)); end >= offset && end <= uint64(len(head)) {
		copy(table, head[offset:end])
	} else if err := readFull(file, table, offset); err != nil {
		return nil, err
	}
	segments := make([]segment, count)
	for i := range segments {
		header := table[i*elfSegmentSize:]
		segments[i] = segment{
			kind:    le.Uint32(header),
			offset:  le.Uint64(header[8:]),
			address: le.Uint64(header[16:]),
			size:    le.Uint64(header[32:]),
		}
	}
	return segments, nil
}

// readDynamic reads the dynamic section, whose strings lie where its DT_STRTAB
// entry says, as an address that a PT_LOAD segment turns into an offset.
func (o *object) readDynamic(file io.ReaderAt, dynamic segment, segments []segment) error {
	le := binary.LittleEndian
	table := make([]byte, min(dynamic.size, maxDynamic)&^15)
	if err := readFull(file, table, dynamic.offset); err != nil {
		return err
	}
	var needed, rpath, runpath []uint64
	var address uint64
	for ; len(table) >= 16; table = table[16:] {
		tag, value := le.Uint64(table), le.Uint64(table[8:])
		if tag == 0 { // DT_NULL ends the section
			break
		}
		switch {
		case tag == dynamicNeeded && len(needed) < maxNeeded:
			needed = append(needed, value)
		case tag == dynamicStrings:
			address = value
		case tag == dynamicRpath:
			rpath = []uint64{value}
		case tag == dynamicRunpath:
			runpath = []uint64{value}
		}
	}
	base, ok := fileOffset(segments, address)
	if !ok {
		return fmt.Errorf("%w: its string table lies in no segment", errNotELF)
	}
	var err error
	read := func(offsets []uint64) (texts []string) {
		for _, offset := range offsets {
			text, readErr := readString(file, base+offset, maxElfString)
			err = errors.Join(err, readErr)
			texts = append(texts, text)
		}
		return texts
	}
	o.needed = read(needed)
	if o.runpath = searchList(read(runpath)); o.runpath == nil {
		o.rpath = searchList(read(rpath))
	}
	return err
}

func searchList(texts []string) []string {
	if len(texts) == 0 || texts[0] == "" {
		return nil
	}
	return strings.Split(texts[0], ":")
}

func fileOffset(segments []segment, address uint64) (uint64, bool) {
	for _, s := range segments {
		if s.kind == segmentLoad && address >= s.address && address-s.address < s.size {
			return s.offset + (address - s.address), true
		}
	}
	return 0, false
}

// readString reads a NUL-terminated string of at most limit bytes.
func readString(file io.ReaderAt, offset, limit uint64) (string, error) {
	buffer := make([]byte, 128)
	for {
		buffer = buffer[:min(uint64(len(buffer)), limit, maxElfString)]
		n, err := readAt(file, buffer, offset)
		if end := bytes.IndexByte(buffer[:n], 0); end >= 0 {
			return string(buffer[:end]), nil
		}
		if err != nil {
			return "", fmt.Errorf("%w: a string has no end", errNotELF)
		}
		if size := uint64(len(buffer)); size == limit || size == maxElfString {
			return "", fmt.Errorf("%w: a string has no end", errNotELF)
		}
		buffer = make([]byte, len(buffer)*4)
	}
}

func readFull(file io.ReaderAt, buffer []byte, offset uint64) error {
	if n, err := readAt(file, buffer, offset); n < len(buffer) {
		return fmt.Errorf("%w: it is cut short: %w", errNotELF, err)
	}
	return nil
}

func readAt(file io.ReaderAt, buffer []byte, offset uint64) (int, error) {
	const maxOffset = 1 << 62
	if offset > maxOffset {
		return 0, io.ErrUnexpectedEOF
	}
	return file.ReadAt(buffer, int64(offset))
}

// elfMachine is e_machine of this host; 0, which no file has, where CPython in
// this sandbox is not supported.
func elfMachine() uint16 {
	switch runtime.GOARCH {
	case "amd64":
		return 62 // EM_X86_64
	case "arm64":
		return 183 // EM_AARCH64
	case "riscv64":
		return 243 // EM_RISCV
	default:
		return 0
	}
}
