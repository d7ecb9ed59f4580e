package archtest

import (
	"go/ast"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// ruleName matches the constants that hold what reports call a rule.
var ruleName = regexp.MustCompile(`^[rR]ule[A-Z]`)

// TestEveryRuleIsExplained holds that a reader of a report can look up each rule that
// no line of a policy is.
func TestEveryRuleIsExplained(t *testing.T) {
	const page = "docs/report.md"
	text, found := readFile(t, page), 0
	for _, file := range goFiles(t) {
		if file.isTest() {
			continue
		}
		ast.Inspect(file.syntax, func(node ast.Node) bool {
			spec, ok := node.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 || !ruleName.MatchString(spec.Names[0].Name) {
				return true
			}
			literal, ok := spec.Values[0].(*ast.BasicLit)
			if !ok {
				return true
			}
			if rule, err := strconv.Unquote(literal.Value); err == nil {
				found++
				if !strings.Contains(text, "`"+rule+"`") {
					t.Errorf("%s has the rule %s, which %s does not explain", file.path, rule, page)
				}
			}
			return true
		})
	}
	if found < 15 {
		t.Errorf("only %d rules were found", found)
	}
}
