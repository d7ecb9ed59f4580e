// Package demo tests that the demo of the main job succeeds for root and for an
// ordinary user. The demo itself asserts what it shows.
package demo

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// aUser is an ordinary uid that has no entry in passwd(5).
const aUser = 23456

func TestDemo(t *testing.T) {
	testenv.Need(t, testenv.UserNS, testenv.NetNSAdmin, testenv.Landlock, testenv.Notify, testenv.DebianPython)
	binary := testenv.Binary(t)
	clone := copyOfClone(t)
	users := testenv.Users()
	if testenv.Missing(testenv.Root) == nil {
		users = append(users, aUser)
	}
	for _, uid := range users {
		t.Run(fmt.Sprint("uid ", uid), func(t *testing.T) {
			cmd := testenv.RunAs(t, uid, exec.Command(filepath.Join(clone, "integration/demo/run"), binary))
			cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/nonexistent", "LANG=C.UTF-8"}
			output, err := cmd.CombinedOutput()
			if err != nil || !strings.HasSuffix(string(output), "demo: everything as expected\n") {
				t.Errorf("the demo ended with %v:\n%s", err, output)
			}
		})
	}
}

// copyOfClone copies what the demo needs to where every user can read it.
func copyOfClone(t *testing.T) string {
	t.Helper()
	root, err := testenv.RepositoryRoot()
	if err != nil {
		t.Fatal(err)
	}
	clone := testenv.WorldDir(t)
	for _, dir := range []string{"integration/demo", "integration/world", "examples"} {
		if err := os.CopyFS(filepath.Join(clone, dir), os.DirFS(filepath.Join(root, dir))); err != nil {
			t.Fatal(err)
		}
	}
	return clone
}
