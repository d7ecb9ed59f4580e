package broker

import "testing"

func TestKeptByHost(t *testing.T) {
	for _, test := range []struct {
		text  string
		count int
		ok    bool
	}{
		{"sockets: used 13\nTCP: inuse 1 orphan 0 tw 85 alloc 11 mem 185\nUDP: inuse 0 mem 2\n", 0, true},
		{"TCP: inuse 1 orphan 31 tw 85 alloc 11 mem 185\n", 31, true},
		{"TCP: inuse 0 orphan 7\n", 7, true},
		{"TCP: inuse 0 orphan\n", 0, false},
		{"TCP: inuse 0 orphan -1\n", -1, false},
		{"TCP: inuse 0 orphan many\n", 0, false},
		{"UDP: orphan 0\n", 0, false},
		{"", 0, false},
	} {
		if count, ok := keptByHost(test.text); count != test.count || ok != test.ok {
			t.Errorf("keptByHost(%q) is %d, %v; want %d, %v", test.text, count, ok, test.count, test.ok)
		}
	}
}
