package host

import (
	"os"
	"path/filepath"
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

func BenchmarkLocate(b *testing.B) {
	for _, request := range []string{"", "/usr/bin/python3", "3.12"} {
		b.Run(request, func(b *testing.B) {
			for b.Loop() {
				if _, err := locate(newTree(), request, testCaller()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCachedInterpreter(b *testing.B) {
	cache := Cache{Dir: filepath.Join(b.TempDir(), "cache")}
	for _, request := range []string{"", "/usr/bin/python3", "3.12"} {
		b.Run(request, func(b *testing.B) {
			for b.Loop() {
				if _, err := cache.FindInterpreter(request, testCaller()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkProbe(b *testing.B) {
	for b.Loop() {
		Probe()
	}
}

func BenchmarkAddresses(b *testing.B) {
	for b.Loop() {
		if _, err := Addresses(); err != nil {
			b.Fatal(err)
		}
	}
}
