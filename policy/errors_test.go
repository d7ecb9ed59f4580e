package policy

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestErrorMessages holds the message of every mistake that testdata/errors
// makes, beside the file that makes it.
func TestErrorMessages(t *testing.T) {
	files, err := filepath.Glob("testdata/errors/*.*")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := filepath.Abs("testdata/errors")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, ".txt") {
			continue
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			_, err := Load(Options{File: filepath.Base(file), Directory: dir})
			if err == nil {
				t.Fatal("the policy is accepted")
			}
			golden(t, strings.TrimSuffix(file, filepath.Ext(file))+strings.Replace(filepath.Ext(file), ".", "_", 1)+".txt",
				[]byte(strings.ReplaceAll(err.Error(), dir, "DIR")+"\n"))
			for line := range strings.SplitSeq(err.Error(), "\n") {
				if strings.Contains(line, "more mistakes") {
					continue
				}
				if !strings.Contains(line, filepath.Base(file)+":") && !strings.HasPrefix(line, "extends/") {
					t.Errorf("%q does not begin with its place", line)
				}
			}
			var first *Error
			if !errors.As(err, &first) || first.File == "" || first.Line == 0 || first.Column == 0 {
				t.Errorf("%v has no *Error with a place", err)
			}
			if _, _, checked := Check(filepath.Base(file), dir); checked == nil || checked.Error() != err.Error() {
				t.Errorf("Check says %v, Load %v", checked, err)
			}
		})
	}
	if _, err := os.Stat("testdata/errors/many.toml"); err != nil {
		t.Fatal(err)
	}
}
