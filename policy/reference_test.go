package policy

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/configs"
)

var update = flag.Bool("update", false, "write the generated files and golden messages anew")

// golden compares what was generated with the file that holds it.
func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is out of date; run go test ./policy -update and read the difference\ngot:\n%s", file, got)
	}
}

func TestReferenceIsGenerated(t *testing.T) {
	golden(t, "../docs/policy-reference.md", reference(t))
}

// reference is the reference of the policy language: what is written by hand,
// then one section for each table of settings.
func reference(t *testing.T) []byte {
	t.Helper()
	intro, err := os.ReadFile("testdata/reference-intro.md")
	if err != nil {
		t.Fatal(err)
	}
	strict, err := Load(Options{Directory: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("<!-- Generated from the settings of package policy by its tests. Do not edit. -->\n\n")
	b.WriteString(strings.Replace(string(intro), "PRESETS\n", presetTable(), 1))
	table := "none"
	for _, s := range settings() {
		head, _, dotted := strings.Cut(s.key, ".")
		if !dotted {
			head = ""
		}
		if head != table {
			table = head
			title := "### Top level"
			if head != "" {
				title = "### `[" + head + "]`"
			}
			b.WriteString(title + "\n\n| key | value | default | flag |\n|---|---|---|---|\n" + rows(head, &strict) + "\n")
		}
		fmt.Fprintf(&b, "**`%s`**: %s\n\n", s.key, s.doc)
	}
	return []byte(strings.TrimRight(b.String(), "\n") + "\n")
}

func presetTable() string {
	var b strings.Builder
	b.WriteString("| preset | what it is |\n|---|---|\n")
	for _, preset := range configs.Presets() {
		fmt.Fprintf(&b, "| [`%s`](../configs/%s.toml) | %s |\n", preset.Name, preset.Name, preset.Summary)
	}
	return b.String()
}

func rows(table string, strict *Policy) string {
	var b strings.Builder
	for _, s := range settings() {
		head, rest, dotted := strings.Cut(s.key, ".")
		if !dotted {
			head, rest = "", s.key
		}
		if head != table {
			continue
		}
		flagName := "`" + s.flag + "`"
		if s.flag == "" {
			flagName = ""
		}
		fmt.Fprintf(&b, "| `%s` | %s | `%s` | %s |\n", rest, s.form.noun(), s.form.show(strict), flagName)
	}
	return b.String()
}
