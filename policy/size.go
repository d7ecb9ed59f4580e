package policy

import (
	"math"
	"strconv"
	"strings"
)

// Size is a number of bytes.
type Size int64

// units lists the suffixes of a size with their powers of two, the largest
// first. The short forms mean the same: this project has no decimal units.
func units() []struct {
	long  string
	shift uint
} {
	return []struct {
		long  string
		shift uint
	}{{"TiB", 40}, {"GiB", 30}, {"MiB", 20}, {"KiB", 10}}
}

// ParseSize reads "512MiB", "512M" or "536870912". All units are binary and may
// be written in lower case.
func ParseSize(text string) (Size, error) {
	number := strings.TrimRight(text, "KMGTiBkmgtb")
	unit := text[len(number):]
	value, err := strconv.ParseInt(number, 10, 64)
	if err != nil || value < 0 || number[0] == '+' {
		return 0, expected(`a size such as "512MiB"`)
	}
	if unit == "" {
		return Size(value), nil
	}
	for _, u := range units() {
		switch {
		case !strings.EqualFold(unit, u.long) && !strings.EqualFold(unit, u.long[:1]):
		case value > math.MaxInt64>>u.shift:
			return 0, expected("a size below 8 EiB")
		default:
			return Size(value << u.shift), nil
		}
	}
	return 0, expected("a unit of K, M, G, T, KiB, MiB, GiB or TiB, all binary")
}

// String writes the size in the largest unit that divides it: "512MiB", or
// "1000" for a number of bytes.
func (s Size) String() string {
	for _, u := range units() {
		if s != 0 && s%(1<<u.shift) == 0 {
			return strconv.FormatInt(int64(s>>u.shift), 10) + u.long
		}
	}
	return strconv.FormatInt(int64(s), 10)
}
