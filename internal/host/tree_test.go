package host

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// forest makes files, directories (ending in "/") and symlinks ("path -> text")
// below a fresh directory, and returns that.
func forest(t *testing.T, paths map[string]string) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for path, target := range paths {
		full := filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		switch {
		case target != "":
			err = os.Symlink(target, full)
		case path[len(path)-1] == '/':
			err = os.MkdirAll(full, 0o755)
		default:
			err = os.WriteFile(full, []byte(path), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestWalkResolvesAsTheKernelDoes(t *testing.T) {
	root := forest(t, map[string]string{
		"a/file":      "",
		"a/b/deep":    "",
		"link":        "a",
		"a/up":        "../link/b",
		"a/chain":     "up/../file",
		"loop":        "loop",
		"dangling":    "nowhere/x",
		"a/b/absroot": "/usr/../etc",
	})
	tree := newTree()
	for _, path := range []string{
		"a/file", "link/file", "link/up/deep", "a/chain", "link/chain", "a/b/absroot", "a/./b/../b//deep",
		"loop", "dangling", "missing", "a/file/below", ".",
	} {
		full := root + "/" + path
		got, err := tree.walk(full)
		want, wantErr := filepath.EvalSymlinks(full)
		if (err == nil) != (wantErr == nil) || got.path != want {
			t.Errorf("%s leads to %q (%v), want %q (%v)", path, got.path, err, want, wantErr)
		}
	}
	if _, err := tree.walk(filepath.Join(root, "loop")); !errors.Is(err, unix.ELOOP) {
		t.Errorf("a loop: %v", err)
	}
}

// TestWalkNamesEverySymlink makes the links of a walk anew elsewhere: with them
// and the file alone, the path resolves.
func TestWalkNamesEverySymlink(t *testing.T) {
	root := forest(t, map[string]string{
		"real/dir/file": "", "one": "real", "real/two": "dir/../dir", "real/dir/three": "../../one/two/file",
	})
	found, err := newTree().walk(root + "/one/two/three")
	if err != nil {
		t.Fatal(err)
	}
	if found.path != root+"/real/dir/file" || len(found.via) < 4 {
		t.Fatalf("leads to %s by %v", found.path, found.via)
	}
	for _, link := range found.via {
		if text, err := os.Readlink(link.Path); err != nil || text != link.Target {
			t.Errorf("%s is %q (%v), not %q", link.Path, text, err, link.Target)
		}
	}
}

func TestPublicMeansReadableByEveryone(t *testing.T) {
	root := forest(t, map[string]string{"open/file": "", "closed/file": "", "open/secret": "", "hidden": "closed/file"})
	for path, mode := range map[string]os.FileMode{"closed": 0o750, "open/secret": 0o640} {
		if err := os.Chmod(filepath.Join(root, path), mode); err != nil {
			t.Fatal(err)
		}
	}
	for dir := root; dir != "/tmp" && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]bool{"open/file": true, "open": true, "closed": false, "closed/file": false, "open/secret": false, "hidden": false} {
		found, err := newTree().walk(filepath.Join(root, path))
		if err != nil || found.public != want {
			t.Errorf("%s is public: %v (%v)", path, found.public, err)
		}
	}
}
