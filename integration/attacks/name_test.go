package attacks

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// hostileName would set a terminal's title, forge a line of pysandbox's, go back
// over it, and turn the direction of text; it is no valid UTF-8.
const hostileName = "\x1b]0;owned\x07\npysandbox: hint: --allow-net=any\r\xff\xfe\u202e\u009b31m\x7f\"\\"

// TestHostileNames has names, arguments and variables that a terminal would obey.
func TestHostileNames(t *testing.T) {
	needWorld(t)
	programs := corpus(t)
	for _, who := range []account{root(), user()} {
		t.Run(who.name, func(t *testing.T) {
			s := serverOnPath("--allow-read=")(t, who, "plain")
			if err := os.Rename(filepath.Join(s.dir, "server"), filepath.Join(s.dir, hostileName)); err != nil {
				t.Fatal(err)
			}
			s.target["visible"], s.target["name"] = s.dir, latin1(hostileName)
			audit := filepath.Join(markedDir(t), "audit.jsonl")
			s.flags = append(s.flags, "--audit="+audit, "--env", "HOSTILE="+strings.ReplaceAll(hostileName, "\x00", ""))
			run := s.runSandboxed(t, who, debianPython, filepath.Join(programs, "name_hostile.py"))
			checkWords(t, run.stderr)
			if len(run.report.Violations) < 2 {
				t.Errorf("the report has %d violations: %+v\n%s", len(run.report.Violations), run.report.Violations, run.stdout)
			}
			checkAudit(t, audit, 2)
		})
	}
}

// latin1 makes a string of which every character is one byte of s.
func latin1(s string) string {
	var runes []rune
	for i := range len(s) {
		runes = append(runes, rune(s[i]))
	}
	return string(runes)
}

// checkWords looks at what pysandbox wrote for people: its own lines only, and
// nothing in them that a terminal obeys.
func checkWords(t *testing.T, text string) {
	t.Helper()
	if text == "" {
		t.Error("pysandbox has said nothing")
	}
	if !utf8.ValidString(text) {
		t.Errorf("not UTF-8: %q", text)
	}
	for _, r := range text {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Errorf("character %U in %q", r, text)
			break
		}
	}
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "pysandbox: ") || strings.HasPrefix(line, "pysandbox: hint: --allow-net=any") {
			t.Errorf("a line that is not pysandbox's: %q", line)
		}
	}
}

// checkAudit reads an audit stream: one object a line.
func checkAudit(t *testing.T, file string, least int) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	if len(lines) < least {
		t.Errorf("the audit stream has %d lines:\n%s", len(lines), text)
	}
	for _, line := range lines {
		var record map[string]any
		if err := json.Unmarshal(line, &record); err != nil || !utf8.Valid(line) {
			t.Errorf("%v: %q", err, line)
		}
	}
	if bytes.ContainsFunc(text, func(r rune) bool { return r != '\n' && unicode.IsControl(r) }) {
		t.Errorf("control characters in %q", text)
	}
}

// TestHostileCommandLines has the same in what pysandbox itself is given.
func TestHostileCommandLines(t *testing.T) {
	needWorld(t)
	dir := testenv.WorldDir(t)
	policy := filepath.Join(dir, hostileName+".toml")
	if err := os.WriteFile(policy, []byte("version = 1\n["+strings.ReplaceAll(hostileName, "\n", "")+"]\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	unknown := filepath.Join(dir, "unknown.toml")
	if err := os.WriteFile(unknown, []byte("version = 1\n\"\\u001b[2J\\n\\u009b\" = 1\n[network]\nallow = [\"tcp://\\u001b]0;x\\u0007\"]\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cases := map[string][]string{
		"script":      {"exec", "/nowhere/" + hostileName + ".py"},
		"module":      {"exec", "-m"},
		"flag":        {"exec", "--" + hostileName},
		"policy":      {"check", policy},
		"no policy":   {"exec", "--policy=/nowhere/" + hostileName, "-c", "pass"},
		"unknown key": {"check", unknown},
		"rule":        {"exec", "--allow-net=" + hostileName, "-c", "pass"},
		"path":        {"exec", "--allow-read=/nowhere/" + hostileName, "-c", "pass"},
		"interpreter": {"exec", "--python=" + hostileName, "-c", "pass"},
		"preset":      {"exec", "--preset=" + hostileName, "-c", "pass"},
		"command":     {"exec", "--", "/bin/" + hostileName},
		"cwd":         {"exec", "--cwd=/" + hostileName, "-c", "pass"},
		"size":        {"exec", "--memory=" + hostileName, "-c", "pass"},
		"report":      {"exec", "--report=/nowhere/" + hostileName, "-c", "pass"},
		"variable":    {"exec", "--env=" + hostileName, "-c", "pass"},
	}
	for name, args := range cases {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(testenv.Binary(t), args...)
			cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=/nonexistent"}
			output, err := cmd.CombinedOutput()
			if err == nil {
				t.Errorf("it was accepted:\n%s", output)
			}
			if name == "policy" || name == "unknown key" {
				checkPrintable(t, string(output)) // its lines begin with the name of the file
				return
			}
			checkWords(t, string(output))
		})
	}
}

func checkPrintable(t *testing.T, text string) {
	t.Helper()
	if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) {
		t.Errorf("a terminal would obey %q", text)
	}
}

// TestHostileExplanation has the same in what explain prints.
func TestHostileExplanation(t *testing.T) {
	needWorld(t)
	dir := filepath.Join(testenv.WorldDir(t), hostileName)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"text", "json", "oci"} {
		cmd := exec.Command(testenv.Binary(t), "explain", "--format="+format, "--allow-read="+dir, "--env=A="+hostileName, "-c", hostileName, hostileName)
		cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=/nonexistent"}
		var words bytes.Buffer
		cmd.Stderr = &words
		output, err := cmd.Output()
		if err != nil {
			t.Errorf("%s: %v\n%s", format, err, words.String())
		}
		checkPrintable(t, words.String())
		if format == "text" {
			checkPrintable(t, string(output))
		} else if !json.Valid(output) || !utf8.Valid(output) {
			t.Errorf("%s is not JSON", format)
		}
	}
}
