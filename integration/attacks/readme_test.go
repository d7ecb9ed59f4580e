package attacks

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// packages are where the tests stand that README.md names.
func packages() map[string]string {
	return map[string]string{
		"":        ".",
		"network": "../network",
		"broker":  "../../supervisor/broker",
		"relay":   "../../supervisor/broker/relay",
		"names":   "../../supervisor/broker/names",
		"seccomp": "../../seccomp",
		"netrule": "../../internal/netrule",
	}
}

// TestEveryClassHasItsTest holds the table of README.md against the tests: every
// class from 1 to 39 is there, and every test that is named exists.
func TestEveryClassHasItsTest(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(`(?m)^\| (\d+) \| [^|]+ \| ([^|]+) \|$`).FindAllStringSubmatch(string(text), -1)
	if len(rows) != 39 {
		t.Errorf("%d classes, want 39", len(rows))
	}
	for i, row := range rows {
		if row[1] != strconv.Itoa(i+1) {
			t.Errorf("row %d is class %s", i+1, row[1])
		}
		named := regexp.MustCompile("`(?:([a-z]+)\\.)?(Test[A-Za-z]+)(?:/([^/`]+))?").FindAllStringSubmatch(row[2], -1)
		if len(named) == 0 {
			t.Errorf("class %s has no test", row[1])
		}
		for _, n := range named {
			checkNamed(t, row[1], n[1], n[2], n[3])
		}
	}
}

// checkNamed looks for a test in the sources of its package, and for its subtest
// there or among the programs that it runs.
func checkNamed(t *testing.T, class, pkg, test, sub string) {
	t.Helper()
	dir, known := packages()[pkg]
	if !known {
		t.Errorf("class %s: no package %s", class, pkg)
		return
	}
	if !mentioned(t, filepath.Join(dir, "*_test.go"), "func "+test+"(t *testing.T)") {
		t.Errorf("class %s: %s has no %s", class, dir, test)
	}
	if sub == "" || mentioned(t, filepath.Join(dir, "*_test.go"), strconv.Quote(sub)) ||
		mentioned(t, filepath.Join(dir, "testdata", "*.py"), "def "+sub+"(") {
		return
	}
	if _, err := os.Stat(filepath.Join(dir, "testdata", "attacks", sub+".py")); err != nil {
		t.Errorf("class %s: %s has no part %s", class, test, sub)
	}
}

func mentioned(t *testing.T, pattern, text string) bool {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(source), text) {
			return true
		}
	}
	return false
}
