// Package install tests what make install puts where, and that make uninstall removes it.
package install

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

func TestInstallAndUninstall(t *testing.T) {
	prefix := filepath.Join(t.TempDir(), "usr")
	run(t, "install", prefix)
	installed := filesBelow(t, prefix)
	for _, want := range []string{
		"bin/pysandbox", "share/man/man1/pysandbox.1", "share/man/man1/pysandbox-exec.1",
		"share/bash-completion/completions/pysandbox", "share/zsh/site-functions/_pysandbox",
		"share/fish/vendor_completions.d/pysandbox.fish",
	} {
		if size, exists := installed[want]; !exists || size == 0 {
			t.Errorf("%s is not installed, or empty; there are %v", want, installed)
		}
	}
	output, err := exec.Command(filepath.Join(prefix, "bin/pysandbox"), "version").CombinedOutput()
	if err != nil || !strings.HasPrefix(string(output), "pysandbox ") {
		t.Errorf("the installed binary: %v\n%s", err, output)
	}
	run(t, "uninstall", prefix)
	if left := filesBelow(t, prefix); len(left) > 0 {
		t.Errorf("make uninstall leaves %v", left)
	}
}

// run makes a target of this checkout.
func run(t *testing.T, target, prefix string) {
	t.Helper()
	root, err := testenv.RepositoryRoot()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("make", target, "PREFIX="+prefix)
	cmd.Dir = root
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("make %s: %v\n%s", target, err, output)
	}
}

// filesBelow are the sizes of the files below a directory.
func filesBelow(t *testing.T, dir string) map[string]int64 {
	t.Helper()
	found := make(map[string]int64)
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := os.Lstat(path)
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		found[name] = info.Size()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
