package policy

import (
	"strings"

	"github.com/pysandbox/pysandbox/internal/netrule"
)

// Check reads a policy file as Load does, without variables and flags, for those
// who want to know what is wrong with it. Warnings are what is valid and likely
// not meant; they are placed as errors are. A relative name is relative to
// directory.
func Check(file, directory string) (p Policy, warnings []*Error, err error) {
	r := newReader()
	r.compose(Options{File: file, Directory: directory}, Environment{})
	for _, e := range r.errs {
		e.blameFile(file)
	}
	if err := join(r.errs); err != nil {
		return Policy{}, nil, err
	}
	return *r.policy, r.policy.placed(r.policy.Network.Rules.Doubts()), nil
}

// Slips are the rules for a host name that is likely a word of the rules which was
// written wrong, and the programs that are likely meant as yes or no, with their places.
func (p *Policy) Slips() []*Error {
	return append(p.placed(p.Network.Rules.Slips()), p.spawnSlips()...)
}

func (p *Policy) placed(doubts []*netrule.RuleError) []*Error {
	var warnings []*Error
	for _, doubt := range doubts {
		warnings = append(warnings, &Error{Place: p.Origins[doubt.Rule.ID], Message: doubt.Error()})
	}
	sortByPlace(warnings)
	return warnings
}

// blameFile places an error about the file as a whole, for which no flag is to
// blame.
func (e *Error) blameFile(file string) {
	if e.Flag == flagPolicy {
		e.Flag, e.File = "", file
		e.Message = strings.TrimPrefix(e.Message, "read "+printable(file)+": ")
	}
}
