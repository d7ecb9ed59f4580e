package archtest

import (
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

// The order of the rooms. "a, b < c" means that c may import a and b, and all
// that they may import; rooms between the same signs may not import each other.
// It is read by the test and by people; a package that it does not name fails.
const order = `
	internal/nearest
		< internal/netrule, seccomp;

	internal/errnos
		< internal/host, seccomp;

	policy/document, configs, internal/fifo, internal/netrule, seccomp
		< policy;

	internal/netrule
		< internal/host;

	namespaces, seccomp
		< cpython-shim;

	seccomp
		< seccomp/libseccomp, seccomp/prebuilt;

	policy, internal/host, namespaces, seccomp/prebuilt, cpython-shim/python
		< plan;

	internal/accept
		< supervisor/broker/names, supervisor/broker/publish;

	plan, audit, seccomp/libseccomp, internal/sigaction
		< supervisor/broker/names, supervisor/broker/publish, supervisor/broker/relay, supervisor/broker/routes
		< supervisor/broker;

	audit
		< supervisor/broker/capability;

	internal/fifo, supervisor/broker, supervisor/broker/capability, cpython-shim
		< supervisor;

	supervisor
		< cmd/pysandbox;
`

// forbidden narrows the order: an import that the order permits and that has its
// own reason not to be.
func forbidden() map[[2]string]string {
	return map[[2]string]string{
		{"supervisor", "policy"}:        "at run time only the plan exists",
		{"supervisor/broker", "policy"}: "at run time only the plan exists",
	}
}

// forTests are packages that production code never imports and that may import
// anything: they test, measure or build.
func forTests() []string {
	return []string{"internal/testenv", "internal/archtest", "integration", "audit/audittest"}
}

func TestImportsFollowTheOrder(t *testing.T) {
	allowed := parseOrder(t, order)
	homeless := make(map[string]bool)
	for _, file := range goFiles(t) {
		room := file.room()
		if isForTests(room) {
			continue
		}
		if _, known := allowed[room]; !known {
			homeless[room] = true
			continue
		}
		for _, imported := range file.imports {
			target, own := strings.CutPrefix(imported, module+"/")
			switch {
			case !own, target == room:
			case file.isTest(): // a test may use what its package may not
			case isForTests(target):
				t.Errorf("%s imports %s, which is for tests", file.path, target)
			case forbidden()[[2]string{room, target}] != "":
				t.Errorf("%s imports %s: %s", file.path, target, forbidden()[[2]string{room, target}])
			case !allowed[room][target]:
				t.Errorf("%s imports %s, which is not below %s in the order", file.path, target, room)
			}
		}
	}
	for room := range homeless {
		t.Errorf("package %s is not in the order of internal/archtest/layers_test.go; give it a place", room)
	}
}

// TestOrderNamesRealPackages keeps the order from describing what is gone.
func TestOrderNamesRealPackages(t *testing.T) {
	rooms := make(map[string]bool)
	for _, file := range goFiles(t) {
		rooms[file.room()] = true
	}
	for room := range parseOrder(t, order) {
		if !rooms[room] {
			t.Errorf("the order names %s, which is no package", room)
		}
	}
}

func TestOrderRefusesCycles(t *testing.T) {
	for text, want := range map[string]bool{
		"a < b; b < c;":        true,
		"a < b; b < a;":        false,
		"a < b; b < c; c < a;": false,
		"a < b < c; c < a;":    false,
		"a, b < c < d;":        true,
	} {
		if got := acyclic(closure(directlyBelow(text))); got != want {
			t.Errorf("%q is accepted: %v, want %v", text, got, want)
		}
	}
}

func isForTests(room string) bool {
	return slices.ContainsFunc(forTests(), func(tree string) bool {
		return room == tree || strings.HasPrefix(room, tree+"/")
	})
}

// parseOrder returns, for every room that the text names, the rooms below it.
func parseOrder(t *testing.T, text string) map[string]map[string]bool {
	t.Helper()
	below := closure(directlyBelow(text))
	if !acyclic(below) {
		t.Fatal("the order has a cycle")
	}
	return below
}

// directlyBelow reads "a, b < c < d;" sentences.
func directlyBelow(text string) map[string]map[string]bool {
	below := make(map[string]map[string]bool)
	for sentence := range strings.SplitSeq(text, ";") {
		var lower []string
		for list := range strings.SplitSeq(sentence, "<") {
			upper := roomNames(list)
			for _, room := range upper {
				for _, low := range lower {
					addRoom(below, room)[low] = true
				}
				addRoom(below, room)
			}
			lower = upper
		}
	}
	return below
}

func roomNames(list string) []string {
	var names []string
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, path.Clean(name))
		}
	}
	return names
}

func addRoom(below map[string]map[string]bool, room string) map[string]bool {
	if below[room] == nil {
		below[room] = make(map[string]bool)
	}
	return below[room]
}

// closure adds what is below the rooms below, until nothing is added.
func closure(below map[string]map[string]bool) map[string]map[string]bool {
	for grown := true; grown; {
		grown = false
		for _, lower := range below {
			size := len(lower)
			for _, room := range slices.Collect(maps.Keys(lower)) {
				maps.Copy(lower, below[room])
			}
			grown = grown || len(lower) > size
		}
	}
	return below
}

func acyclic(below map[string]map[string]bool) bool {
	for room, lower := range below {
		if lower[room] {
			return false
		}
	}
	return true
}
