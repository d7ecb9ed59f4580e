package host

import (
	"os"
	"strings"
	"testing"
)

func testCaller() Caller {
	env := make(map[string]string)
	for _, pair := range os.Environ() {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	return Caller{UID: os.Geteuid(), Directory: "/", Env: env}
}

func BenchmarkFindInterpreter(b *testing.B) {
	for _, r := range []string{"/usr/bin/python3", "3.11.7", "3.12"} {
		b.Run(r, func(b *testing.B) {
			for b.Loop() {
				if _, err := FindInterpreter(r, testCaller()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSelect(b *testing.B) {
	for _, r := range []string{"", "/usr/bin/python3", "3.12"} {
		b.Run(r, func(b *testing.B) {
			for b.Loop() {
				if _, err := selectInterpreter(newTree(), r, testCaller()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
