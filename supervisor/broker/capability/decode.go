package capability

import (
	"encoding/binary"
	"fmt"
	"math"
	"unicode/utf8"
)

// The values that Decode returns are nil, bool, int64, uint64 (above the range
// of int64), float64, []byte, string, []any, Map, Reference and Region.
type (
	// Map is a map with its entries in the order of the frame.
	Map []Entry
	// Entry is one entry of a Map.
	Entry struct {
		Key   string
		Value any
	}
	// Reference names an object: a number of the sender's table from 0 on, or
	// -1-n for number n of the receiver's own.
	Reference int64
	// Region is a piece of the sender's area: bytes, or text, whose length is sent
	// as -1-Length.
	Region struct {
		Offset, Length uint64
		Text           bool
	}
)

// maxDepth is how deep arrays, maps and tags may lie in one another.
const maxDepth = 32

// The major types of RFC 8949, 3.1, and its simple values.
const (
	majorUnsigned = iota
	majorNegative
	majorBytes
	majorText
	majorArray
	majorMap
	majorTag
	majorSimple

	simpleFalse = 0xf4
	simpleTrue  = 0xf5
	simpleNull  = 0xf6
	float64Head = 0xfb

	tagReference = 39 // "identifier", in the registry of tags
)

// canonicalNaN is the only NaN that is accepted.
const canonicalNaN = 0x7ff8000000000000

// Decode reads one value that fills data: the strict subset of CBOR in which
// every value has one encoding. Lengths are definite, integers have their
// shortest form and 64 bits, floats are doubles, keys are distinct strings, and
// text is UTF-8. The error wraps ErrFrame. What is allocated is bounded by the
// size of data.
func Decode(data []byte) (any, error) {
	d := decoder{data: data}
	value, err := d.value(0)
	if err != nil {
		return nil, err
	}
	if len(d.data) != d.at {
		return nil, d.broken("%d bytes follow the value", len(d.data)-d.at)
	}
	return value, nil
}

type decoder struct {
	data []byte
	at   int
}

func (d *decoder) broken(format string, args ...any) error {
	return fmt.Errorf("%w: byte %d: %s", ErrFrame, d.at, fmt.Sprintf(format, args...))
}

func (d *decoder) take(n uint64) ([]byte, error) {
	if n > uint64(len(d.data)-d.at) {
		return nil, d.broken("%d bytes are missing", n-uint64(len(d.data)-d.at))
	}
	part := d.data[d.at : d.at+int(n)]
	d.at += int(n)
	return part, nil
}

// head reads a major type and its argument in the shortest form.
func (d *decoder) head() (major byte, argument uint64, err error) {
	first, err := d.take(1)
	if err != nil {
		return 0, 0, err
	}
	major, info := first[0]>>5, first[0]&31
	if info < 24 {
		return major, uint64(info), nil
	}
	if info > 27 {
		return 0, 0, d.broken("a length must be definite")
	}
	size := 1 << (info - 24)
	raw, err := d.take(uint64(size))
	if err != nil {
		return 0, 0, err
	}
	var padded [8]byte
	copy(padded[8-size:], raw)
	argument = binary.BigEndian.Uint64(padded[:])
	least := [4]uint64{24, 1 << 8, 1 << 16, 1 << 32}[info-24]
	if argument < least {
		return 0, 0, d.broken("%d has a shorter form", argument)
	}
	return major, argument, nil
}

func (d *decoder) value(depth int) (any, error) {
	if depth > maxDepth {
		return nil, d.broken("it is deeper than %d", maxDepth)
	}
	if d.at < len(d.data) && d.data[d.at]>>5 == majorSimple {
		return d.simple()
	}
	major, argument, err := d.head()
	if err != nil {
		return nil, err
	}
	switch major {
	case majorUnsigned:
		if argument > math.MaxInt64 {
			return argument, nil
		}
		return int64(argument), nil
	case majorNegative:
		if argument > math.MaxInt64 {
			return nil, d.broken("an integer is below 64 bits")
		}
		return -1 - int64(argument), nil
	case majorBytes:
		return d.take(argument)
	case majorText:
		return d.text(argument)
	case majorArray:
		return d.array(argument, depth)
	case majorMap:
		return d.entries(argument, depth)
	default:
		return d.tagged(argument, depth)
	}
}

func (d *decoder) simple() (any, error) {
	switch d.data[d.at] {
	case simpleFalse, simpleTrue, simpleNull:
		d.at++
		switch d.data[d.at-1] {
		case simpleFalse:
			return false, nil
		case simpleTrue:
			return true, nil
		}
		return nil, nil
	case float64Head:
		d.at++
		raw, err := d.take(8)
		if err != nil {
			return nil, err
		}
		bits := binary.BigEndian.Uint64(raw)
		value := math.Float64frombits(bits)
		if value != value && bits != canonicalNaN {
			return nil, d.broken("a NaN carries a message")
		}
		return value, nil
	default:
		return nil, d.broken("%#x is no value of the subset", d.data[d.at])
	}
}

func (d *decoder) text(length uint64) (string, error) {
	raw, err := d.take(length)
	if err != nil {
		return "", err
	}
	if !utf8.Valid(raw) {
		return "", d.broken("text is not UTF-8")
	}
	return string(raw), nil
}

func (d *decoder) array(count uint64, depth int) (any, error) {
	if count > uint64(len(d.data)-d.at) {
		return nil, d.broken("an array of %d elements does not fit", count)
	}
	list := make([]any, 0, min(count, 64))
	for range count {
		value, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
	}
	return list, nil
}

func (d *decoder) entries(count uint64, depth int) (any, error) {
	if count > uint64(len(d.data)-d.at)/2 {
		return nil, d.broken("a map of %d entries does not fit", count)
	}
	entries := make(Map, 0, min(count, 64))
	seen := make(map[string]bool, min(count, 64))
	for range count {
		major, length, err := d.head()
		if err != nil {
			return nil, err
		}
		if major != majorText {
			return nil, d.broken("a key is not text")
		}
		key, err := d.text(length)
		if err != nil {
			return nil, err
		}
		if seen[key] {
			return nil, d.broken("a key stands twice")
		}
		seen[key] = true
		value, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		entries = append(entries, Entry{key, value})
	}
	return entries, nil
}

// tagged reads what follows the one tag: the number of an object, or the place
// of a region.
func (d *decoder) tagged(tag uint64, depth int) (any, error) {
	if tag != tagReference {
		return nil, d.broken("tag %d is not of the subset", tag)
	}
	content, err := d.value(depth + 1)
	if err != nil {
		return nil, err
	}
	switch content := content.(type) {
	case int64:
		return Reference(content), nil
	case []any:
		if len(content) == 2 {
			offset, isOffset := content[0].(int64)
			length, isLength := content[1].(int64)
			switch {
			case !isOffset || !isLength || offset < 0:
			case length >= 0:
				return Region{uint64(offset), uint64(length), false}, nil
			default:
				return Region{uint64(offset), uint64(-1 - length), true}, nil
			}
		}
	}
	return nil, d.broken("a reference is a number or a place in the area")
}
