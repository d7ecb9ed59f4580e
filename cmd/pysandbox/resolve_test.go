package main

import (
	"testing"

	"github.com/pysandbox/pysandbox/plan"
)

// BenchmarkStart measures what stands between the first instruction of main and
// the launch, with everything in the processor's caches.
func BenchmarkStart(b *testing.B) {
	directory := b.TempDir()
	layer := &policyFlags{}
	inv := plan.Invocation{Kind: plan.RunCode, Argument: "pass", Directory: directory, Env: map[string]string{"PATH": "/usr/bin:/bin", "HOME": directory}}
	b.Run("command line", func(b *testing.B) {
		for b.Loop() {
			u, status := &ui{}, 0
			root := newRoot(u, &status, []string{"exec", "--preset=strict", "--timeout=10s", "--memory=512M", "--help"})
			cmd, _, err := root.Find([]string{"exec"})
			if err != nil {
				b.Fatal(err)
			}
			if err := cmd.ParseFlags([]string{"--preset=strict", "--timeout=10s", "--memory=512M"}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("policy", func(b *testing.B) {
		for b.Loop() {
			if _, err := layer.load(directory); err != nil {
				b.Fatal(err)
			}
		}
	})
	pol, err := layer.load(directory)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("compile", func(b *testing.B) {
		for b.Loop() {
			if _, err := plan.Compile(pol, inv); err != nil {
				b.Fatal(err)
			}
		}
	})
	compiled, err := plan.Compile(pol, inv)
	if err != nil {
		b.Fatal(err)
	}
	around := lookAround()()
	b.Run("gather", func(b *testing.B) {
		for b.Loop() {
			if _, err := gather(compiled, nil, around); err != nil {
				b.Fatal(err)
			}
		}
	})
	h, err := gather(compiled, nil, around)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("resolve", func(b *testing.B) {
		for b.Loop() {
			if _, err := plan.Resolve(compiled, h); err != nil {
				b.Fatal(err)
			}
		}
	})
}
