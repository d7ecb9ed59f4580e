package host

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// watched is a directory whose events the test reads.
type watched struct {
	path string
	root *os.Root
	fd   int
}

func watch(t *testing.T, mask uint32) watched {
	t.Helper()
	w := watched{path: t.TempDir()}
	var err error
	if w.fd, err = unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(w.fd) })
	if _, err = unix.InotifyAddWatch(w.fd, w.path, mask); err != nil {
		t.Fatal(err)
	}
	if w.root, err = os.OpenRoot(w.path); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.root.Close() })
	return w
}

// events are the names to which something has happened since they were last asked for.
// That of a nameless file is a number behind a '#' in every file system.
func (w watched) events(t *testing.T) (names []string) {
	t.Helper()
	buf := make([]byte, 4096)
	n, err := unix.Read(w.fd, buf)
	if err != nil && !errors.Is(err, unix.EAGAIN) {
		t.Fatal(err)
	}
	for buf = buf[:max(n, 0)]; len(buf) > 0; {
		end := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(buf[12:]))
		name := string(bytes.TrimRight(buf[unix.SizeofInotifyEvent:end], "\x00"))
		if !strings.HasPrefix(name, "#") {
			names = append(names, name)
		}
		buf = buf[end:]
	}
	return names
}

// A file that has a name before it is complete is left behind by a run that is killed.
func TestReplaceFileNamesWhatIsComplete(t *testing.T) {
	created, written := watch(t, unix.IN_CREATE), watch(t, unix.IN_MODIFY)
	file, err := nameless(created.root, 0o600)
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EISDIR) {
		t.Skip("the file system of the temporary directory has no O_TMPFILE")
	} else if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := CanReplace(created.root, 0o600); err != nil {
		t.Fatal(err)
	}
	if names := created.events(t); len(names) > 0 {
		t.Errorf("CanReplace made %q", names)
	}
	for _, text := range []string{"new", "newer"} {
		if err := ReplaceFile(written.root, "kept", 0o600, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if names := written.events(t); len(names) > 0 {
			t.Errorf("%q was written when it had its name", names)
		}
		if got, err := os.ReadFile(filepath.Join(written.path, "kept")); err != nil || string(got) != text {
			t.Errorf("the file holds %q (%v), want %q", got, err, text)
		}
	}
	for _, w := range []watched{created, written} { // control
		if err := writeNew(w.root, "other", 0o600, []byte("x")); err != nil || !slices.Equal(w.events(t), []string{"other"}) {
			t.Errorf("a file that is made and written by its name was not seen (%v)", err)
		}
	}
}

func TestReplaceFileLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	longest := strings.Repeat("n", 255)
	for _, name := range []string{longest, longest} {
		if err := ReplaceFile(root, name, 0o644, []byte("x")); err != nil {
			t.Error(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "dir"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"dir", longest + "n"} {
		if ReplaceFile(root, name, 0o644, []byte("x")) == nil {
			t.Errorf("%.10s was replaced", name)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if want := []string{"dir", longest}; !slices.Equal(names, want) {
		t.Errorf("the directory holds %q", names)
	}
}
