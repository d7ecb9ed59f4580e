package plan

import (
	"fmt"
	"slices"

	"github.com/pysandbox/pysandbox/policy"
)

// wrong is what is wrong with the value of one key.
func wrong(key, format string, args ...any) error {
	return &policy.Problem{Key: key, Err: fmt.Errorf(format, args...)}
}

// about places an error at one item of a list, or at none of them.
func about(list string, index int, err error) error {
	if index < 0 {
		return &policy.Problem{Key: list, Err: err}
	}
	return &policy.Problem{Key: policy.Item(list, index), Err: err}
}

// fileKey is the key of the first path in [files] that is meant, those that may
// be written before others.
func (p *Plan) fileKey(meant func(name string) bool) string {
	for _, list := range []struct {
		key   string
		names []string
	}{{"files.write", p.Files.Write}, {"files.exec", p.Files.Exec}, {"files.read", p.Files.Read}} {
		if i := slices.IndexFunc(list.names, meant); i >= 0 {
			return policy.Item(list.key, i)
		}
	}
	return "files"
}
