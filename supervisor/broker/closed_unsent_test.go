package broker

import (
	"testing"
)

func TestNoOrphans(t *testing.T) {
	for text, want := range map[string]bool{
		"sockets: used 13\nTCP: inuse 1 orphan 0 tw 85 alloc 11 mem 185\n": true,
		"TCP: inuse 1 orphan 3 tw 85 alloc 11 mem 185\n":                   false,
		"TCP: inuse 1 orphan 10\n":                                         false,
		"TCP: inuse 0 orphan\n":                                            false,
		"UDP: orphan 0\n":                                                  false,
		"":                                                                 false,
	} {
		if got := noOrphans(text); got != want {
			t.Errorf("noOrphans(%q) is %v, want %v", text, got, want)
		}
	}
}
