package broker

import "testing"

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
