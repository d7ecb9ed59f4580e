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
		filepath.Join(own, "plain/data.csv"), filepath.Join(own, "bytes.pyc"), filepath.Join(own, "job.toml"), filepath.Join(own, "text"),
		filepath.Join(own, "numpy-1.24.dist-info/METADATA"), filepath.Join(own, "__pycache__/gone.cpython-312.pyc"),
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	python := Interpreter{Version: "3.12", Closure: Closure{Binds: []Bind{{Path: lib}}}}
	known := []string{"json", "json.decoder", "json.*", "os.path", "ctypes", "sys", "helper", "plain", "bytes"}
	want := []string{"nosuch", "json.nosuch", "nosuch.*", "job", "text", "numpy", "gone"}
	names := append(known, want...)
	if got := python.UnknownModules(names, []string{own}); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := python.UnknownModules([]string{"helper"}, nil); len(got) != 1 {
		t.Errorf("a module that is nowhere is known: %q", got)
	}
}
