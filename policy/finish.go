package policy

import (
	"fmt"
	"slices"

	"github.com/pysandbox/pysandbox/internal/netrule"
)

// finish numbers the rules, fills what no layer said and holds the rules against
// each other.
func (r *reader) finish() {
	p := r.policy
	numberRules(p.Network.Rules.Allow, "network.allow")
	numberRules(p.Network.Rules.Deny, "network.deny")
	if p.Require == "" {
		p.Require = "full"
	}
	if p.Network.Errno == "" {
		p.Network.Errno = "EACCES"
	}
	for _, problem := range p.Network.Rules.Problems() {
		r.errs = append(r.errs, r.placed(problem.Rule.ID, problem.Error()))
	}
	r.writeOrExecute()
}

// writeOrExecute refuses what is to be written and executed, which no host does.
func (r *reader) writeOrExecute() {
	for i, path := range r.policy.Files.Write {
		for _, executed := range []struct {
			key   string
			paths []string
		}{{"files.exec", r.policy.Files.Exec}, {"process.spawn", r.policy.Process.Spawn}} {
			if slices.Contains(executed.paths, path) {
				r.errs = append(r.errs, r.placed(Item("files.write", i), fmt.Sprintf(
					"files.write: %s is in %s too, and what the program may change it may not execute; name a directory apart from it",
					printable(path), executed.key)))
			}
		}
	}
}

func numberRules(rules []netrule.Rule, list string) {
	for i := range rules {
		rules[i].ID = Item(list, i)
	}
}

// placed is a message about an item of a list, placed where the item was written.
func (r *reader) placed(item, message string) *Error {
	return &Error{Place: r.origins()[item], Message: message}
}
