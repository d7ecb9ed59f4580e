package plan_test

import (
	"testing"

	"github.com/pysandbox/pysandbox/plan"
	"github.com/pysandbox/pysandbox/policy"
)

// BenchmarkStart is what a start pays for its plan: compile, resolve, encode.
func BenchmarkStart(b *testing.B) {
	pol, err := policy.Load(policy.Options{Preset: "http-only", Directory: "/srv/job"})
	if err != nil {
		b.Fatal(err)
	}
	h := fixedHost()
	b.ReportAllocs()
	for b.Loop() {
		p, err := plan.Compile(pol, script())
		if err != nil {
			b.Fatal(err)
		}
		r, err := plan.Resolve(p, h)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := r.Setup.Encode(); err != nil {
			b.Fatal(err)
		}
	}
}
