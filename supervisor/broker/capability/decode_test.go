package capability_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/supervisor/broker/capability"
)

func TestDecode(t *testing.T) {
	for text, want := range map[string]any{
		"\xf6":                                 nil,
		"\x18\x18":                             int64(24),
		"\x1b\xff\xff\xff\xff\xff\xff\xff\xff": uint64(1<<64 - 1),
		"\x3b\x7f\xff\xff\xff\xff\xff\xff\xff": int64(-1 << 63),
		"\x82\x01\x61a":                        []any{int64(1), "a"},
		"\xa1\x61a\xf5":                        capability.Map{{Key: "a", Value: true}},
		"\xd8\x27\x20":                         capability.Reference(-1),
		"\xd8\x27\x82\x01\x02":                 capability.Region{Offset: 1, Length: 2},
		"\xd8\x27\x82\x01\x22":                 capability.Region{Offset: 1, Length: 2, Text: true},
	} {
		got, err := capability.Decode([]byte(text))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%x: got %#v and %v, want %#v", text, got, err, want)
		}
	}
}

// integration/python has the vectors that Python shares.
func TestDecodeRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":   "",
		"more":      "\x00\x00",
		"long form": "\x18\x17",
		"twice":     "\xa2\x61a\x01\x61a\x02",
		"depth":     strings.Repeat("\x81", 33) + "\x00",
		"count":     "\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
		"tag":       "\xc0\x01",
		"text":      "\x61\xff",
	} {
		if got, err := capability.Decode([]byte(text)); !errors.Is(err, capability.ErrFrame) {
			t.Errorf("%s: got %#v and %v", name, got, err)
		}
	}
}

// FuzzDecode looks for a crash, and for an allocation out of proportion.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{"\xf6", "\x82\x01\x61a", "\xa1\x61a\xf5", "\xd8\x27\x82\x01\x02", "\x9b\xff\xff\xff\xff\xff\xff\xff\xff"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		value, err := capability.Decode(data)
		if err != nil && (value != nil || !errors.Is(err, capability.ErrFrame)) {
			t.Errorf("%x: %#v and %v", data, value, err)
		}
	})
}
