package host

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// TestCgroupParentsAreReal makes a group in every directory that is said to
// allow it.
func TestCgroupParentsAreReal(t *testing.T) {
	testenv.Need(t, testenv.CgroupMemory, testenv.CgroupPids)
	c := ReadCgroup()
	for _, controller := range []string{"memory", "pids"} {
		if c.Parents[controller] == "" {
			t.Errorf("no place for a group with %s, which there is: %+v", controller, c)
			continue
		}
		if err := tryGroup(c.Parents[controller], controller); err != nil {
			t.Error(err)
		}
	}
}

// unifiedTree makes directories with the files that are read, and gives those
// that are marked with "+" to everyone. The value lists the controllers that are
// passed on.
func unifiedTree(t *testing.T, groups map[string]string) string {
	t.Helper()
	root := testenv.WorldDir(t)
	for group, passed := range groups {
		dir := filepath.Join(root, strings.TrimSuffix(group, "+"))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for file, text := range map[string]string{"cgroup.controllers": "cpu memory pids", "cgroup.subtree_control": passed, "cgroup.procs": ""} {
			writeFile(t, filepath.Join(dir, file), text)
		}
		if strings.HasSuffix(group, "+") {
			for _, path := range []string{dir, filepath.Join(dir, "cgroup.procs")} {
				if err := os.Chmod(path, 0o777); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	return root
}

func TestUnifiedCgroupTakesTheNearestThatPassesOn(t *testing.T) {
	for name, c := range map[string]struct {
		groups map[string]string
		own    string
		want   map[string]string
	}{
		"the root":        {map[string]string{"+": "memory pids"}, "/", map[string]string{"memory": "", "pids": "", "cpu": ""}},
		"a session":       {map[string]string{"": "cpu memory pids", "user/session": ""}, "/user/session", map[string]string{}},
		"delegated above": {map[string]string{"": "cpu memory pids", "user+": "memory pids", "user/app+": "memory", "user/app/scope+": ""}, "/user/app/scope", map[string]string{"memory": "user/app", "pids": "user", "cpu": "user/app/scope"}},
		"own only":        {map[string]string{"": "cpu memory pids", "scope+": ""}, "/scope", map[string]string{"memory": "scope", "pids": "scope", "cpu": "scope"}},
		"not seen":        {map[string]string{"": ""}, "/../outside", map[string]string{}},
	} {
		t.Run(name, func(t *testing.T) {
			root := unifiedTree(t, c.groups)
			got := readAsNobody(t, root, c.own)
			want := make(map[string]string)
			for controller, dir := range c.want {
				want[controller] = filepath.Join(root, dir)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

// readAsNobody reads the tree with the rights of an ordinary user.
func readAsNobody(t *testing.T, root, own string) map[string]string {
	t.Helper()
	c := Cgroup{Parents: make(map[string]string)}
	asNobody(t, func() { c.readUnified(root, "3:cpu:/x\n0::"+own+"\n") })
	return c.Parents
}

func TestMemberOf(t *testing.T) {
	const membership = "9:name=systemd:/s\n4:cpu,cpuacct:/a:b\n0::/user.slice\n"
	for controller, want := range map[string]string{"cpu": "/a:b", "cpuacct": "/a:b", "": "/user.slice", "memory": ""} {
		if got := memberOf(membership, controller); got != want {
			t.Errorf("%q: %q, want %q", controller, got, want)
		}
	}
}
