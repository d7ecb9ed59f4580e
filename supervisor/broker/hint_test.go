package broker

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// A hint is pasted into a shell, and the guest chose the name in it.
func TestSpawnHintIsSafeToPaste(t *testing.T) {
	for file, want := range map[string]string{
		"/usr/bin/git":               "--allow-spawn=/usr/bin/git",
		"/opt/x-1.2/bin/c++":         "--allow-spawn=/opt/x-1.2/bin/c++",
		"/opt/a$(touch pwned)":       "",
		"/opt/a;id":                  "",
		"/opt/a`id`":                 "",
		"/opt/a b":                   "",
		"/opt/a\nb":                  "",
		"/opt/'a":                    "",
		"/tmp/tool":                  "",
		"/home/sandbox/.local/bin/x": "",
	} {
		if got := spawnHint(file); got != want {
			t.Errorf("%q: hint %q, want %q", file, got, want)
		}
	}
}

// The hint for a socket is pasted into a policy.
func TestUnixHintIsSafeToPaste(t *testing.T) {
	dir := t.TempDir()
	for name, safe := range map[string]bool{"s.sock": true, `a"], allow = ["any`: false, "a b": false, "a$b": false} {
		path := filepath.Join(dir, name)
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		file, err := os.OpenFile(path, unix.O_PATH, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		want := ""
		if safe {
			want = `network.unix = ["` + path + `"]`
		}
		if got := unixSetting(int(file.Fd())); got != want {
			t.Errorf("%q: hint %q, want %q", name, got, want)
		}
	}
}
