package policy

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// TestPathsOfAnotherUser: a path that the caller may not use is a mistake of the
// policy, found before anything runs. Root, who may use all, is the control.
func TestPathsOfAnotherUser(t *testing.T) {
	testenv.Need(t, testenv.Root)
	dir := testenv.WorldDir(t)
	for _, name := range []string{"open", "closed"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "closed", "file"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, "closed"), 0o700); err != nil {
		t.Fatal(err)
	}
	o := Options{Directory: dir, Overrides: Overrides{
		AllowRead: []string{"open", "closed", "closed/file"}, AllowWrite: []string{"open"},
	}}
	load(t, o)
	var err error
	asNobody(t, func() { _, err = Load(o) })
	want := strings.Join([]string{
		`--allow-read: "closed" (DIR/closed) may not be read by you`,
		`--allow-read: "closed/file" (DIR/closed/file) may not be read by you`,
		`--allow-write: "open" (DIR/open) may not be read and written by you`,
	}, "\n")
	if err == nil || strings.ReplaceAll(err.Error(), dir, "DIR") != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

// asNobody runs do on a thread of its own whose effective uid is another; the
// thread ends with it.
func asNobody(t *testing.T, do func()) {
	t.Helper()
	done := make(chan unix.Errno)
	go func() {
		runtime.LockOSThread()
		const keep = ^uintptr(0)
		_, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, keep, testenv.Nobody, keep)
		if errno == 0 {
			do()
		}
		done <- errno
	}()
	if errno := <-done; errno != 0 {
		t.Fatalf("become another user: %v", errno)
	}
}
