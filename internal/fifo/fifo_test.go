package fifo

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func newFIFO(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// later opens the other end when somebody waits for it already.
func later(open func()) { time.AfterFunc(Patience/10, open) }

func TestReadWaitsForTheWriter(t *testing.T) {
	for _, text := range []string{"some text", ""} {
		path := newFIFO(t)
		later(func() { _ = os.WriteFile(path, []byte(text), 0) })
		if got, err := Read(path, 4); err != nil || string(got) != text[:min(4, len(text))] {
			t.Errorf("%q of %q (%v)", got, text, err)
		}
	}
	begun := time.Now()
	if _, err := Read(newFIFO(t), 4); !errors.Is(err, ErrNoWriter) {
		t.Errorf("without a writer: %v", err)
	}
	if took := time.Since(begun); took < Patience*9/10 {
		t.Errorf("gave up after %v", took)
	}
}

func TestAwaitReader(t *testing.T) {
	awaited := func(path string) error {
		return AwaitReader(func() error {
			fd, err := unix.Open(path, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
			if err == nil {
				err = unix.Close(fd)
			}
			return err
		})
	}
	read := newFIFO(t)
	later(func() { _, _ = os.ReadFile(read) })
	if err := awaited(read); err != nil {
		t.Error(err)
	}
	begun := time.Now()
	if err := awaited(newFIFO(t)); !errors.Is(err, unix.ENXIO) {
		t.Errorf("without a reader: %v", err)
	}
	if took := time.Since(begun); took < Patience*9/10 {
		t.Errorf("gave up after %v", took)
	}
}
