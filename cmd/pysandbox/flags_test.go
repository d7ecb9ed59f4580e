package main

import (
	"errors"
	"testing"

	"github.com/pysandbox/pysandbox/policy"
)

// A limit that this host holds less well is warned of where somebody set it, and not
// where a file of the operator's accepts that, whoever set it.
func TestAFileAcceptsLessForAFlagToo(t *testing.T) {
	preset := policy.Place{File: "preset:strict", Line: 1, Column: 1}
	file := policy.Place{File: "job.toml", Line: 3, Column: 10}
	flag := policy.Place{Flag: "--memory"}
	for _, c := range []struct {
		name     string
		set, own policy.Place // where the limit and its item of best_effort were written
		warned   bool
	}{
		{"a preset's limit", preset, preset, false},
		{"a file's", file, preset, true},
		{"a flag's", flag, preset, true},
		{"a file's that a file accepts", file, file, false},
		{"a flag's that a file accepts", flag, file, false},
	} {
		p := &policy.Policy{Origins: policy.Origins{"limits.memory": c.set, policy.Item("limits.best_effort", 0): c.own}}
		p.Limits.BestEffort = []string{"memory"}
		less := []*policy.Problem{{Key: "limits.memory", Err: errors.New("held less well")}}
		texts, hint := concerned(less, p)
		if warned := len(texts) > 0; warned != c.warned || (hint != "") != c.warned {
			t.Errorf("%s: warnings %q and the hint %q, want them: %v", c.name, texts, hint, c.warned)
		}
	}
}
