package supervisor

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// goodPosture is what a sandbox of uid 5 has with no descriptor passed.
func goodPosture() *posture {
	p := &posture{status: map[string]string{
		"Uid": "5\t5\t5\t5", "Gid": "6\t6\t6\t6", "NoNewPrivs": "1", "Seccomp": "2",
		"CapInh": noCaps, "CapPrm": noCaps, "CapEff": noCaps, "CapBnd": noCaps, "CapAmb": noCaps,
		"Groups": "",
	}, namespaces: map[string]bool{}, fds: []int{0, 1, 2, 3, 4}}
	for _, kind := range namespaceKinds() {
		p.namespaces[kind] = true
	}
	return p
}

func TestPostureRefusesEveryMissingLayer(t *testing.T) {
	c := &child{uid: 5, gid: 6, lease: os.Stdin}
	if err := goodPosture().check(c, 0); err != nil {
		t.Fatalf("control: %v", err)
	}
	for field := range maps.Keys(goodPosture().status) {
		p := goodPosture()
		p.status[field] = "7"
		if err := p.check(c, 0); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	for _, kind := range namespaceKinds() {
		p := goodPosture()
		p.namespaces[kind] = false
		if err := p.check(c, 0); err == nil || !strings.Contains(err.Error(), kind) {
			t.Errorf("%s: %v", kind, err)
		}
	}
	for _, fds := range [][]int{{0, 1, 2, 3, 4, 5}, {0, 1, 2, 3, 9}, {1, 2, 3, 4}} {
		p := goodPosture()
		p.fds = fds
		if err := p.check(c, 0); err == nil {
			t.Errorf("descriptors %v were accepted", fds)
		}
	}
}

// The reader is held against this very process.
func TestReadPostureOfThisProcess(t *testing.T) {
	ours, err := ownNamespaces()
	if err != nil {
		t.Fatal(err)
	}
	p, err := readPosture(os.Getpid(), ours)
	if err != nil {
		t.Fatal(err)
	}
	if got := p.status["NSpid"]; got == "" || p.status["Seccomp"] == "" {
		t.Errorf("status %v", p.status)
	}
	if len(p.namespaces) != len(namespaceKinds()) {
		t.Errorf("namespaces %v", p.namespaces)
	}
	for kind, differs := range p.namespaces {
		if differs {
			t.Errorf("this process is in another %s namespace than itself", kind)
		}
	}
	if !slices.Contains(p.fds, 0) || !slices.Contains(p.fds, 2) {
		t.Errorf("descriptors %v", p.fds)
	}
}
