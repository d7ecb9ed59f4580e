// Package readme runs the commands that the documentation shows, word for word,
// and compares what they print. It tests no page's prose.
package readme

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// pages are the pages whose ```console blocks are run. A line that begins with
// "$ " is a command; what follows is all that it prints, on both streams, where
// "..." alone stands for any lines and inside a line for any text.
func pages() []string { return []string{"README.md", "docs/network.md"} }

func TestShownCommandsPrintWhatIsShown(t *testing.T) {
	testenv.Need(t, testenv.UserNS, testenv.Landlock, testenv.Notify, testenv.DebianPython)
	root, err := testenv.RepositoryRoot()
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages() {
		text, err := os.ReadFile(filepath.Join(root, page))
		if err != nil {
			t.Fatal(err)
		}
		blocks := consoleBlocks(string(text))
		if len(blocks) == 0 {
			t.Errorf("%s shows no commands; the test would hold for nothing", page)
		}
		for _, block := range blocks {
			t.Run(page+"/"+firstCommand(block), func(t *testing.T) {
				t.Run("root", func(t *testing.T) { runBlock(t, root, block, 0) })
				t.Run("user", func(t *testing.T) { runBlock(t, root, block, testenv.OrdinaryUser()) })
			})
		}
	}
}

// runBlock runs the commands of one block in one shell, in a copy of what a
// fresh clone has beside the sources.
func runBlock(t *testing.T, root, block string, uid uint32) {
	binary := testenv.Binary(t)
	clone := testenv.WorldDir(t)
	if os.Geteuid() == 0 {
		if err := os.Chown(clone, int(uid), int(uid)); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{"examples", "cpython-shim/python"} {
		if err := os.CopyFS(filepath.Join(clone, dir), os.DirFS(filepath.Join(root, dir))); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", shellOf(block))
	cmd.Dir = clone
	cmd.Env = []string{"PATH=" + filepath.Dir(binary) + ":/usr/bin:/bin:/usr/sbin:/sbin", "HOME=" + clone}
	got, err := testenv.RunAs(t, uid, cmd).CombinedOutput()
	if err != nil {
		t.Fatalf("run the block: %v\n%s", err, got)
	}
	if want := block + "\n"; !transcript(want).MatchString(string(got)) {
		t.Errorf("the page shows\n%s\nand the commands print\n%s", want, got)
	}
}

// shellOf is a script that prints each command as the page shows it and then runs
// it. A command that ends with a backslash goes on in the next line.
func shellOf(block string) string {
	var script strings.Builder
	script.WriteString("exec 2>&1\nstatus() { return \"$1\"; }\nlast=0\n")
	lines := strings.Split(block, "\n")
	for i := 0; i < len(lines); i++ {
		command, is := strings.CutPrefix(lines[i], "$ ")
		if !is {
			continue
		}
		for strings.HasSuffix(lines[i], "\\") && i+1 < len(lines) {
			i++
			command += "\n" + lines[i]
		}
		script.WriteString("printf '%s\\n' " + quote("$ "+command) + "\n")
		script.WriteString("status $last\n" + command + "\nlast=$?\n")
	}
	script.WriteString("exit 0\n")
	return script.String()
}

func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// transcript is the pattern of a block.
func transcript(block string) *regexp.Regexp {
	pattern := regexp.QuoteMeta(block)
	pattern = regexp.MustCompile(`(?m)^\\\.\\\.\\\.\n`).ReplaceAllString(pattern, `(?:.*\n)*?`)
	pattern = strings.ReplaceAll(pattern, `\.\.\.`, `.*`)
	return regexp.MustCompile(`\A` + pattern + `\z`)
}

var console = regexp.MustCompile("(?s)```console\n(.*?)\n```")

func consoleBlocks(page string) []string {
	var blocks []string
	for _, match := range console.FindAllStringSubmatch(page, -1) {
		blocks = append(blocks, match[1])
	}
	return blocks
}

func firstCommand(block string) string {
	first, _, _ := strings.Cut(block, "\n")
	return strings.TrimPrefix(first, "$ ")
}

func TestTranscriptMatches(t *testing.T) {
	tests := []struct {
		block, output string
		want          bool
	}{
		{"$ x\n42\n", "$ x\n42\n", true},
		{"$ x\n42\n", "$ x\n43\n", false},
		{"$ x\n42\n", "$ x\n42\nmore\n", false},
		{"$ x\n...\nend\n", "$ x\na\nb\nend\n", true},
		{"$ x\n...\nend\n", "$ x\na\nb\n", false},
		{"$ x\n took ... s\n", "$ x\n took 3.5 s\n", true},
	}
	for _, test := range tests {
		if got := transcript(test.block).MatchString(test.output); got != test.want {
			t.Errorf("%q matches %q: %v, want %v", test.block, test.output, got, test.want)
		}
	}
}

func TestShellKeepsStatusesAndContinuations(t *testing.T) {
	const block = "$ (exit 7)\n$ echo $?\n7\n$ echo a \\\n    b\na b"
	output, err := exec.Command("bash", "-c", shellOf(block)).CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	if got := string(output); got != block+"\n" {
		t.Errorf("the shell printed\n%s", got)
	}
}
