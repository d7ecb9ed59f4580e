package host

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// A link that someone else may have made is told of, for the caller that asks. The
// links of the caller and of root are what they are, but not in a directory of
// others where root asks.
func TestPlantedLinks(t *testing.T) {
	testenv.Need(t, testenv.Root)
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	const alice, bob = 61001, 61002
	for _, dir := range []struct {
		name  string
		owner int
		group int
		mode  os.FileMode
	}{
		{"real", 0, 0, 0o755},
		{"roots", 0, 0, 0o755},
		{"shared", 0, 0, 0o777},
		{"sticky", 0, 0, 0o777 | os.ModeSticky},
		{"staff", 0, 50, 0o775},
		{"wheel", 0, 0, 0o775},
		{"alices", alice, alice, 0o755},
	} {
		at := filepath.Join(top, dir.name)
		if err := errors.Join(os.Mkdir(at, 0o700), os.Chown(at, dir.owner, dir.group), os.Chmod(at, dir.mode)); err != nil {
			t.Fatal(err)
		}
		if dir.name == "real" {
			continue
		}
		for link, owner := range map[string]int{"root": 0, "alice": alice, "bob": bob} {
			if err := errors.Join(os.Symlink("../real", filepath.Join(at, link)), os.Lchown(filepath.Join(at, link), owner, owner)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := errors.Join(os.Symlink("alices/bob", filepath.Join(top, "chain")), os.Symlink("../none", filepath.Join(top, "alices/dangling")),
		os.Lchown(filepath.Join(top, "alices/dangling"), bob, bob)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		caller  int
		path    string
		planted string
	}{
		{0, "real", ""},
		{0, "roots/root", ""},
		{0, "wheel/root", ""},
		{0, "roots/alice", "uid 61001"},
		{0, "shared/root", "others"},
		{0, "sticky/root", "others"},
		{0, "staff/root", "others"},
		{0, "alices/root", "others"},
		{0, "alices/alice", "uid 61001"},
		{0, "chain", "alices/bob belongs to uid 61002"},
		{0, "alices/../roots/root", ""},
		{alice, "alices/alice", ""},
		{alice, "alices/root", ""},
		{alice, "sticky/alice", ""},
		{alice, "alices/bob", "uid 61002"},
		{alice, "sticky/bob", "uid 61002"},
		{alice, "chain", "uid 61002"},
		{alice, "alices/dangling", "uid 61002"},
	} {
		path := filepath.Join(top, c.path)
		if strings.Contains(c.path, "..") {
			path = top + "/" + c.path
		}
		found := LookPaths([]string{path}, Caller{UID: c.caller})[path]
		if (found.Planted == nil) != (c.planted == "") || found.Planted != nil && !strings.Contains(found.Planted.Error(), c.planted) {
			t.Errorf("uid %d, %s: %v, want %q", c.caller, c.path, found.Planted, c.planted)
		}
		if dangling := strings.Contains(c.path, "dangling"); dangling != errors.Is(found.Err, fs.ErrNotExist) {
			t.Errorf("%s: %v", c.path, found.Err)
		}
	}
}
