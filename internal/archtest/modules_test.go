package archtest

import (
	"slices"
	"strings"
	"testing"
)

// moduleUse is a third-party module and the rooms that may import it, nil for all,
// beside those that are for tests. A module has few homes, so that replacing it, or
// auditing its use, is one room's work.
type moduleUse struct {
	module string
	rooms  []string
	why    string
}

func moduleUses() []moduleUse {
	return []moduleUse{
		{"golang.org/x/sys", nil, "the kernel's constants and calls; no restriction"},
		{"golang.org/x/net", []string{"internal/netrule", "supervisor/broker"}, "IDNA of host names, packets with their control messages"},
		{"golang.org/x/term", []string{"supervisor"}, "terminal state"},
		{"github.com/seccomp/libseccomp-golang", []string{"seccomp/libseccomp"}, "the only place where a filter is compiled"},
		{"github.com/opencontainers/runtime-spec", []string{"plan", "supervisor"}, "the portable half of a plan"},
		{"github.com/opencontainers/cgroups", []string{"supervisor"}, "limits of the whole tree"},
		{"github.com/pelletier/go-toml/v2", []string{"policy/document"}, "the written form of a policy"},
		{"github.com/santhosh-tekuri/jsonschema/v6", []string{"policy", "plan"}, "tests of the schema that is shipped, and of OCI's"},
		{"github.com/spf13/cobra", []string{"cmd/pysandbox"}, "command line"},
		{"github.com/spf13/pflag", []string{"cmd/pysandbox"}, "command line"},
		{"github.com/cpuguy83/go-md2man/v2", []string{"cmd/pysandbox"}, "manual pages, in tests"},
		{"github.com/creack/pty", []string{"supervisor"}, "the terminal of a run"},
		{"github.com/coreos/go-systemd/v22", []string{"supervisor"}, "scopes of systemd"},
		{"github.com/godbus/dbus/v5", []string{"supervisor"}, "the bus of systemd"},
		{"github.com/miekg/dns", []string{"supervisor/broker/names"}, "an independent DNS peer, in tests only (docs/adr/0008)"},
		{"github.com/rogpeppe/go-internal", []string{}, "scripts that test the command"},
	}
}

func TestModulesStayInTheirRooms(t *testing.T) {
	for _, file := range goFiles(t) {
		for _, imported := range file.imports {
			if !isThirdParty(imported) {
				continue
			}
			index := slices.IndexFunc(moduleUses(), func(use moduleUse) bool { return within(imported, use.module) })
			if index < 0 {
				t.Errorf("%s imports %s, which internal/archtest/modules_test.go does not list; say who may use it and why", file.path, imported)
				continue
			}
			use := moduleUses()[index]
			if use.rooms != nil && !isForTests(file.room()) && !slices.ContainsFunc(use.rooms, func(room string) bool { return within(file.room(), room) }) {
				t.Errorf("%s imports %s, which only %v may (%s)", file.path, imported, use.rooms, use.why)
			}
		}
	}
}

// TestModuleRoomsUseThem keeps the list from permitting what nobody does.
func TestModuleRoomsUseThem(t *testing.T) {
	files := goFiles(t)
	for _, use := range moduleUses() {
		for _, room := range use.rooms {
			if !slices.ContainsFunc(files, func(f goFile) bool {
				return within(f.room(), room) && slices.ContainsFunc(f.imports, func(i string) bool { return within(i, use.module) })
			}) {
				t.Errorf("internal/archtest/modules_test.go lets %s import %s, which it does not", room, use.module)
			}
		}
	}
}

func isThirdParty(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return strings.Contains(first, ".") && !within(imported, module)
}

func within(name, tree string) bool {
	return name == tree || strings.HasPrefix(name, tree+"/")
}

// TestUnsafeStaysInItsFiles holds that a reader finds every use of unsafe by the
// names of files. cgo needs unsafe to free C memory, so its files count as such
// only when they are named so.
func TestUnsafeStaysInItsFiles(t *testing.T) {
	for _, file := range goFiles(t) {
		named := strings.HasSuffix(file.path, "_unsafe.go") || strings.HasSuffix(file.path, "_unsafe_test.go")
		if slices.Contains(file.imports, "unsafe") && !named {
			t.Errorf("%s imports unsafe; only files named *_unsafe.go may", file.path)
		}
	}
}
