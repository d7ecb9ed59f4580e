package policy

import "strings"

// Check reads a policy file as Load does, without variables and flags, for those
// who want to know what is wrong with it. Warnings are what is valid and likely
// not meant; they are placed as errors are. A relative name is relative to
// directory.
func Check(file, directory string) (warnings []*Error, err error) {
	r := newReader()
	r.compose(Options{File: file, Directory: directory}, Environment{})
	for _, e := range r.errs {
		e.blameFile(file)
	}
	if err := join(r.errs); err != nil {
		return nil, err
	}
	return r.warnings(), nil
}

func (r *reader) warnings() []*Error {
	var warnings []*Error
	for _, doubt := range r.policy.Network.Rules.Doubts() {
		warnings = append(warnings, r.placed(doubt.Rule.ID, doubt.Error()))
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
