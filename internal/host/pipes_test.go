package host

import (
	"maps"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestFindPipes looks at a pipe, and at directories with and without one.
func TestFindPipes(t *testing.T) {
	dir := t.TempDir()
	pipe, below := filepath.Join(dir, "pipe"), filepath.Join(dir, "below")
	if err := os.Mkdir(below, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(below, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	got := FindPipes([]string{dir, pipe, below, filepath.Join(below, "file"), filepath.Join(dir, "nothing")})
	if want := map[string]string{dir: pipe, pipe: pipe}; !maps.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
}
