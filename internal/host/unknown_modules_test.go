package host

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestUnknownModules(t *testing.T) {
	lib, own := filepath.Join(t.TempDir(), "python3.12"), t.TempDir()
	for _, name := range []string{
		filepath.Join(lib, "json/__init__.py"), filepath.Join(lib, "json/decoder.py"), filepath.Join(lib, "os.py"),
		filepath.Join(lib, "lib-dynload/_ctypes.so"), filepath.Join(own, "helper.py"),
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	python := Interpreter{Version: "3.12", Closure: Closure{Binds: []Bind{{Path: lib}}}}
	names := []string{"json", "json.decoder", "json.*", "os.path", "ctypes", "sys", "helper", "nosuch", "json.nosuch", "nosuch.*"}
	want := []string{"nosuch", "json.nosuch", "nosuch.*"}
	if got := python.UnknownModules(names, []string{own}); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := python.UnknownModules([]string{"helper"}, nil); len(got) != 1 {
		t.Errorf("a module that is nowhere is known: %q", got)
	}
}
