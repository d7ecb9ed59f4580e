package host

import (
	"path/filepath"
	"reflect"
	"testing"
)

func FuzzDecodeEntry(f *testing.F) {
	e := cacheEntry{
		key: "/usr/bin/python3", kernel: "6.1", home: "/root",
		python:    Interpreter{Executable: "/usr/bin/python3", Version: "3.12", Prefix: "/usr", Closure: Closure{Binds: []Bind{{Path: "/usr/lib", Exec: true, Only: []string{"x"}}}, Links: []Link{{"/lib", "usr/lib"}}}},
		witnesses: []witness{{path: "/", kind: entries}, {path: "/usr", kind: same, under: 1}},
	}
	f.Add(e.encode()[len(entryMagic) : len(e.encode())-4])
	f.Fuzz(func(t *testing.T, body []byte) {
		// A right checksum lets the fuzzer past it.
		data := withChecksum(append([]byte(entryMagic), body...))
		got, err := decodeEntry(data)
		if err != nil {
			return
		}
		for _, bind := range got.python.Binds {
			if !isCleanPath(bind.Path) {
				t.Errorf("bind of %q", bind.Path)
			}
			for _, name := range bind.Only {
				if !filepath.IsLocal(name) {
					t.Errorf("only %q", name)
				}
			}
		}
		holds(got.witnesses)
		again, err := decodeEntry(got.encode())
		if err != nil || !reflect.DeepEqual(got, again) {
			t.Errorf("%+v became %+v (%v)", got, again, err)
		}
	})
}
