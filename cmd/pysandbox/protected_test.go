package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/pysandbox/pysandbox/internal/host"
	"github.com/pysandbox/pysandbox/plan"
	"github.com/pysandbox/pysandbox/policy"
)

func TestProtectedFilesAreFoundBehindLinks(t *testing.T) {
	directory, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(directory, "real"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real", filepath.Join(directory, "link")); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(directory, "real", "job.toml"), "version = 1")
	p := &plan.Plan{
		Sources:    []string{"preset:strict", "link/job.toml", "flags"},
		Invocation: plan.Invocation{Directory: directory},
		Files:      policy.Files{Write: []string{directory}},
	}
	kept := []account{{what: "the report", path: "link/report.json"}}
	got := make(map[string]string)
	all, err := protected(p, kept, host.Cache{Dir: filepath.Join(directory, "link/missing/plans")})
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range all {
		got[found.Path] = found.What
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		filepath.Join(directory, "real/job.toml"):      "the policy",
		filepath.Join(directory, "real/report.json"):   "the report",
		filepath.Join(directory, "real/missing/plans"): "the cache of interpreters",
		program: "pysandbox itself",
	}
	for path, what := range want {
		if got[path] != what {
			t.Errorf("%s is %q, want %q", path, got[path], what)
		}
	}
	if _, ok := got[filepath.Join(directory, "link")]; !ok || len(got) != len(want)+1 {
		t.Errorf("got %v, want the link too", got)
	}

	p.Files.Write = nil
	if found, err := protected(p, kept, host.Cache{}); found != nil || err != nil {
		t.Errorf("nothing can be written, and %v is protected (%v)", found, err)
	}
}
