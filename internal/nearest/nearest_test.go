package nearest

import "testing"

func TestName(t *testing.T) {
	candidates := []string{"c", "memory", "pids", "cpu", "cpu_quota", "open_files"}
	for word, want := range map[string]string{
		"memry": "memory", "mmeory": "memory", "Memory": "memory", "pid": "pids", "cup": "cpu",
		"cpuquota": "cpu_quota", "openfiles": "open_files", "mem": "memory", "open": "open_files", "me": "", "wall": "", "": "", "x": "", "zzzzzz": "",
	} {
		if got := Name(word, candidates); got != want {
			t.Errorf("Name(%q) = %q, want %q", word, got, want)
		}
	}
}
