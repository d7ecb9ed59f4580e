package host

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

func TestCacheOfTheUser(t *testing.T) {
	for _, c := range []struct {
		uid  int
		env  map[string]string
		want string
	}{
		{0, map[string]string{"HOME": "/root"}, "/var/cache/pysandbox"},
		{1000, map[string]string{"HOME": "/home/u"}, "/home/u/.cache/pysandbox"},
		{1000, map[string]string{"HOME": "/home/u", "XDG_CACHE_HOME": "/tmp/c"}, "/tmp/c/pysandbox"},
		{1000, map[string]string{"HOME": "/home/u", "XDG_CACHE_HOME": "relative"}, "/home/u/.cache/pysandbox"},
		{1000, map[string]string{"HOME": "relative"}, ""},
		{1000, nil, ""},
	} {
		if got := UserCache(Caller{UID: c.uid, Env: c.env}).Dir; got != c.want {
			t.Errorf("uid %d, %v: %q, want %q", c.uid, c.env, got, c.want)
		}
	}
}

func TestCacheOfAnotherUserIsIgnored(t *testing.T) {
	testenv.Need(t, testenv.Root)
	c := newCached(t)
	if err := os.Chown(c.Dir, testenv.Nobody, testenv.Nobody); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(c.file())
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := c.load(c.executable, c.caller); ok {
		t.Error("the entry of a stranger's directory was used")
	}
	if err := appendTo(filepath.Join(c.prefix, "lib/python3.12/os.py")); err != nil {
		t.Fatal(err)
	}
	c.find(t)
	if after, err := os.ReadFile(c.file()); err != nil || string(after) != string(before) {
		t.Errorf("something was written into a stranger's directory (%v)", err)
	}
}

func TestWithoutACacheEverythingWorks(t *testing.T) {
	c := newCached(t)
	blocked := filepath.Join(t.TempDir(), "file")
	writeFile(t, blocked, "")
	for _, dir := range []string{"", filepath.Join(blocked, "below"), "/proc/pysandbox", "/dev/null/x"} {
		c.Dir = dir
		if got := c.find(t); got.Version != "3.12" {
			t.Errorf("%q: %+v", dir, got)
		}
	}
}

func TestCacheMakesRoom(t *testing.T) {
	c := newCached(t)
	old := time.Now().Add(-time.Hour)
	for i := range maxEntries {
		path := filepath.Join(c.Dir, fmt.Sprintf("old%d", i))
		writeFile(t, path, "")
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(c.file()); err != nil {
		t.Fatal(err)
	}
	c.find(t)
	entries, err := os.ReadDir(c.Dir)
	if err != nil || len(entries) > maxEntries {
		t.Errorf("%d entries are left (%v)", len(entries), err)
	}
	if _, ok := c.load(c.executable, c.caller); !ok {
		t.Error("the newest entry is gone")
	}
}

func TestCacheIsSharedByManyAtOnce(t *testing.T) {
	c := newCached(t)
	want := c.find(t)
	if err := os.Remove(c.file()); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 5 {
				if got, err := c.FindInterpreter(c.executable, c.caller); err != nil || !reflect.DeepEqual(got, want) {
					t.Errorf("%+v (%v)", got, err)
				}
			}
		})
	}
	group.Wait()
}
