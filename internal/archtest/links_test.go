package archtest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// link matches [text](target) of Markdown, but for images.
var link = regexp.MustCompile(`(^|[^!])\[([^\]]+)\]\(([^)\s]+)\)`)

// testName matches link texts that name a test: a function of Go or Python.
var testName = regexp.MustCompile(`^\x60?((?:Test|Fuzz)[A-Z]\w*|test_\w+)\x60?$`)

// TestDocumentationLinksResolve checks every relative link of every page: the
// file exists, the heading exists, and a link whose text names a test leads to
// the file that has it.
func TestDocumentationLinksResolve(t *testing.T) {
	for _, page := range sources(t, ".md") {
		for _, match := range link.FindAllStringSubmatch(withoutCode(readFile(t, page)), -1) {
			text, target := match[2], match[3]
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			checkLink(t, page, text, target)
		}
	}
}

func checkLink(t *testing.T, page, text, target string) {
	t.Helper()
	file, heading, _ := strings.Cut(target, "#")
	name := page
	if file != "" {
		name = filepath.Join(filepath.Dir(page), file)
	}
	info, err := os.Stat(filepath.Join(repository(t), name))
	if err != nil {
		t.Errorf("%s: [%s](%s) leads nowhere", page, text, target)
		return
	}
	if heading != "" && !hasHeading(readFile(t, name), heading) {
		t.Errorf("%s: [%s](%s): %s has no such heading", page, text, target, name)
	}
	if test := testName.FindStringSubmatch(text); test != nil && !info.IsDir() && !definesTest(readFile(t, name), test[1]) {
		t.Errorf("%s: [%s](%s): %s has no such test", page, text, target, name)
	}
}

func definesTest(source, name string) bool {
	return strings.Contains(source, "func "+name+"(") || strings.Contains(source, "def "+name+"(")
}

// hasHeading compares as the usual renderers build anchors: lower case, spaces
// to dashes, other punctuation gone.
func hasHeading(page, anchor string) bool {
	for line := range strings.Lines(withoutCode(page)) {
		title, isHeading := strings.CutPrefix(strings.TrimLeft(line, "#"), " ")
		if isHeading && strings.HasPrefix(line, "#") && anchorOf(title) == anchor {
			return true
		}
	}
	return false
}

var notInAnchor = regexp.MustCompile(`[^\p{L}\p{N}\-_ ]`)

func anchorOf(title string) string {
	return strings.ReplaceAll(notInAnchor.ReplaceAllString(strings.ToLower(strings.TrimSpace(title)), ""), " ", "-")
}

// withoutCode removes fenced blocks, whose brackets are no links.
func withoutCode(page string) string {
	var kept strings.Builder
	fenced := false
	for line := range strings.Lines(page) {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
			continue
		}
		if !fenced {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

func TestLinkCheckFindsWhatIsMissing(t *testing.T) {
	const page = "# The Flow, *drawn*\n```\n# not a heading\n```\n"
	for anchor, want := range map[string]bool{"the-flow-drawn": true, "not-a-heading": false, "flow": false} {
		if got := hasHeading(page, anchor); got != want {
			t.Errorf("hasHeading(%q) = %v", anchor, got)
		}
	}
	if definesTest("func TestOther(t *testing.T) {}", "TestMissing") {
		t.Error("a missing test was found")
	}
}

func TestEveryDecisionIsListed(t *testing.T) {
	index := readFile(t, "docs/adr/README.md")
	for _, page := range sources(t, ".md") {
		name, isDecision := strings.CutPrefix(page, "docs/adr/")
		if isDecision && name != "README.md" && !strings.Contains(index, "]("+name+")") {
			t.Errorf("docs/adr/README.md does not list %s", name)
		}
	}
}

// TestEveryPageIsReachedFromTheReadme holds that no page of docs is for those alone who
// know that it is there.
func TestEveryPageIsReachedFromTheReadme(t *testing.T) {
	readme := readFile(t, "README.md")
	for _, page := range sources(t, ".md") {
		folder := filepath.Dir(page)
		if (folder == "docs" || folder == "docs/python") && !strings.Contains(readme, "]("+page) {
			t.Errorf("README.md does not lead to %s", page)
		}
	}
}
