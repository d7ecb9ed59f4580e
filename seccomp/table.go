package seccomp

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"syscall"

	"github.com/pysandbox/pysandbox/internal/errnos"
)

// String says what becomes of a call, such as "allow" or "EACCES, reported".
func (r Ruling) String() string {
	switch r.Action {
	case ActAllow:
		return "allow"
	case ActNotify:
		return "notify"
	case ActKill:
		return "kill process"
	case ActExplain:
		return errnoText(r.Errno) + ", reported"
	default:
		return errnoText(r.Errno)
	}
}

func errnoText(errno uint16) string {
	if name := errnos.Name(syscall.Errno(errno)); name != "" {
		return name
	}
	return fmt.Sprintf("errno %d", errno)
}

// Table returns the filter as text for people and for golden files: what becomes
// of each known call, in the order of names, with conditions and reasons. Calls
// of which every use is refused as by default stand together at the end. Rules
// that differ in one value only share a line.
func (s *FilterSpec) Table() string {
	byCall := make(map[string][]Rule)
	for _, rule := range s.Rules {
		byCall[rule.Syscall] = append(byCall[rule.Syscall], rule)
	}
	refused := ruling(s.Refused, s.RefusedErrno)
	var text strings.Builder
	for _, call := range slices.Sorted(maps.Keys(byCall)) {
		for _, row := range rows(byCall[call], refused) {
			fmt.Fprintf(&text, "%-24s %-26s %s\n", call, row.outcome, row.rest)
		}
	}
	fmt.Fprintf(&text, "\nevery other known call: %v\n", refused)
	var rest []string
	for _, call := range callNames() {
		if len(byCall[call]) == 0 {
			rest = append(rest, call)
		}
	}
	slices.Sort(rest)
	writeWrapped(&text, rest)
	text.WriteString("unknown calls: ENOSYS\nother architectures and the x32 bit: ")
	if s.Foreign().Action == ActExplain {
		text.WriteString("reported, and the sandbox is killed\n")
	} else {
		text.WriteString("kill process\n")
	}
	return text.String()
}

// row is one line of the table.
type row struct {
	outcome, rest string
	rank          int // conditions first, what happens otherwise last
}

// rows writes the rules of one call.
func rows(rules []Rule, refused Ruling) []row {
	type group struct {
		row
		why    string
		values []string
	}
	var groups []*group
	conditional, otherwise := false, false
	for _, rule := range rules {
		outcome := ruling(rule.Action, rule.Errno).String()
		if len(rule.Conditions) == 0 {
			otherwise = true
			groups = append(groups, &group{row{outcome, "", 1}, rule.Why, nil})
			continue
		}
		conditional = true
		prefix, value := splitConditions(rule.Conditions)
		i := slices.IndexFunc(groups, func(g *group) bool {
			return g.outcome == outcome && g.rest == prefix && g.why == rule.Why && g.values != nil
		})
		if i >= 0 {
			groups[i].values = append(groups[i].values, value)
			continue
		}
		groups = append(groups, &group{row{outcome, prefix, 0}, rule.Why, []string{value}})
	}
	if conditional && !otherwise {
		groups = append(groups, &group{row{refused.String(), "", 1}, "nothing else is needed", nil})
	}
	var out []row
	for _, g := range groups {
		condition := g.rest + strings.Join(g.values, ", ")
		switch {
		case g.values != nil:
			g.rest = "if " + condition + ": " + g.why
		case conditional:
			g.rest = "otherwise: " + g.why
		default:
			g.rest = g.why
		}
		out = append(out, g.row)
	}
	slices.SortStableFunc(out, func(a, b row) int { return cmp.Compare(a.rank, b.rank) })
	return out
}

// splitConditions writes a conjunction, apart from the value of its last part.
func splitConditions(conditions []Condition) (prefix, value string) {
	var words []string
	for _, c := range conditions {
		left, right := c.text()
		words = append(words, left+right)
		value = right
	}
	return strings.TrimSuffix(strings.Join(words, " and "), value), value
}

// text writes a condition as its left side, with the operator, and its value.
func (c Condition) text() (left, value string) {
	value = fmt.Sprintf("%#x", c.Value)
	switch {
	case c.judged() == ^uint64(0):
		return fmt.Sprintf("arg%d == ", c.Arg), value
	case c.Mask == intMask:
		return fmt.Sprintf("int arg%d == ", c.Arg), value
	default:
		return fmt.Sprintf("arg%d & %#x == ", c.Arg, c.Mask), value
	}
}

// writeWrapped writes words in indented lines of at most 100 columns.
func writeWrapped(text *strings.Builder, words []string) {
	const columns = 100
	line := " "
	for _, word := range words {
		if len(line)+1+len(word) > columns {
			text.WriteString(line + "\n")
			line = " "
		}
		line += " " + word
	}
	text.WriteString(line + "\n")
}
