package script

import (
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

func TestRoot(t *testing.T) {
	testenv.Need(t, testenv.Root)
	run(t, account{uid: 0, name: "root", owner: "1234"})
}

func TestUser(t *testing.T) {
	testenv.Need(t, testenv.UserNS)
	uid := int(testenv.OrdinaryUser())
	run(t, account{uid: uid, name: "user", owner: strconv.Itoa(uid)})
}

// account is who runs the scripts.
type account struct {
	uid   int
	name  string
	owner string // whose directories a sandbox of this account may write
}

// run runs every script of testdata as who.
func run(t *testing.T, who account) {
	t.Helper()
	testenv.Need(t, testenv.DebianPython, testenv.Landlock, testenv.Notify, testenv.Setpriv)
	watchSources(t)
	bin := installBinary(t, who)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		WorkdirRoot:         testenv.WorldDir(t),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			// Only the system's Python: one below a home directory is
			// out of reach for the other user.
			env.Setenv("PATH", bin+":/usr/local/bin:/usr/bin:/bin")
			env.Setenv("OWNER", who.owner)
			env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
			if err := os.Mkdir(filepath.Join(env.WorkDir, "home"), 0o700); err != nil {
				return err
			}
			return give(env.WorkDir, who.uid)
		},
		Condition: func(name string) (bool, error) { return name == who.name, nil },
		Cmds:      commands(),
	})
}

// installBinary makes a directory for PATH in which pysandbox is the real
// binary, for another user behind setpriv(1), which becomes the command: its
// process id, its descriptors and the signals sent to it are pysandbox's own.
func installBinary(t *testing.T, who account) string {
	t.Helper()
	binary := testenv.Binary(t)
	dir := testenv.WorldDir(t)
	path := filepath.Join(dir, "pysandbox")
	if who.uid == os.Getuid() {
		if err := os.Symlink(binary, path); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	testenv.Need(t, testenv.Root)
	id := strconv.Itoa(who.uid)
	script := "#!/bin/sh\nexec setpriv --reuid=" + id + " --regid=" + id + " --clear-groups -- " + binary + ` "$@"` + "\n"
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// give makes uid the owner of everything below dir.
func give(dir string, uid int) error {
	if uid == os.Getuid() {
		return nil
	}
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, uid, uid)
	})
}

// watchSources looks at every source of the binary, so that the test cache
// notices a change: it follows the files that a test opens, not those that a
// compiler started by the test reads.
func watchSources(t *testing.T) {
	t.Helper()
	root, err := testenv.RepositoryRoot()
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		switch {
		case entry.IsDir() && (entry.Name() == ".git" || entry.Name() == "bin"):
			return fs.SkipDir
		case entry.IsDir():
			return nil
		}
		switch filepath.Ext(path) {
		case ".go", ".c", ".h", ".py", ".toml", ".mod", ".sum":
			_, err := os.Stat(path)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
