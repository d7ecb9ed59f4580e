package plan_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/internal/host"
	"github.com/pysandbox/pysandbox/namespaces"
	"github.com/pysandbox/pysandbox/plan"
	"github.com/pysandbox/pysandbox/policy"
)

// stdlib is a small standard library, in which ctypes and its accelerator are denied.
func stdlib() plan.Modules {
	const root = "/usr/lib/python3.12"
	return plan.Modules{
		Denied: []host.ModuleFile{
			{Path: root + "/ctypes", Module: "ctypes", Dir: true},
			{Path: root + "/lib-dynload/_ctypes.so", Module: "_ctypes"},
		},
		Around: map[string][]host.Neighbour{
			root: {
				{Name: "ctypes", Dir: true},
				{Name: "json", Dir: true},
				{Name: "lib-dynload", Dir: true},
				{Name: "os.py"},
				{Name: "site.py", Link: "../site.py"},
			},
			root + "/lib-dynload": {{Name: "_ctypes.so"}, {Name: "_json.so"}},
		},
	}
}

// shown lists what the setup shows below a directory: mounts and links.
func shown(r *plan.Resolved, dir string) []string {
	found := make(map[string]bool)
	for _, op := range r.Setup {
		name := op.S1
		if op.Code == namespaces.OpBind {
			name = op.S2
		}
		mounts := op.Code == namespaces.OpBind || op.Code == namespaces.OpSymlink || op.Code == namespaces.OpTmpfs
		if mounts && (name == dir || strings.HasPrefix(name, dir+"/")) {
			found[strings.TrimPrefix(name, dir)] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

func TestFilesOfDeniedModulesAreNotInTheTree(t *testing.T) {
	h := fixedHost()
	h.Modules = stdlib()
	deny := func(p *policy.Policy) { p.Python.ModulesDeny = []string{"ctypes"} }
	r, err := resolveWith(t, deny, script(), h)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"/json", "/lib-dynload/_json.so", "/os.py", "/site.py"}
	if got := shown(r, "/usr/lib/python3.12"); !slices.Equal(got, want) {
		t.Errorf("shown are %q, not %q", got, want)
	}
	rules := r.ModuleRules()
	if len(rules) != 1 || !rules[0].Kernel {
		t.Errorf("the rule is told as %+v", rules)
	}

	h.Modules = plan.Modules{} // the module has no files here
	if r, err = resolveWith(t, deny, script(), h); err != nil {
		t.Fatal(err)
	}
	if got := shown(r, "/usr/lib/python3.12"); !slices.Equal(got, []string{""}) || r.ModuleRules()[0].Kernel {
		t.Errorf("shown are %q, and the rule is told as %+v", got, r.ModuleRules())
	}
}

// A module without files is not told as hidden for the sake of one whose name is longer.
func TestOnlyModulesWithFilesAreToldAsHidden(t *testing.T) {
	h := fixedHost()
	h.Modules = stdlib()
	h.Modules.Denied = append(h.Modules.Denied, host.ModuleFile{Path: "/usr/lib/python3.12/os2/path.py", Module: "os2"})
	r, err := resolveWith(t, func(p *policy.Policy) {
		p.Python.ModulesDeny = []string{"ctypes", "ctype", "os2.path", "os2.pa"}
	}, script(), h)
	if err != nil {
		t.Fatal(err)
	}
	var hidden []string
	for _, rule := range r.ModuleRules() {
		if rule.Kernel {
			hidden = append(hidden, rule.Pattern)
		}
	}
	if want := []string{"ctypes", "os2.path"}; !slices.Equal(hidden, want) {
		t.Errorf("hidden are %q, want %q", hidden, want)
	}
}

func TestADeniedModuleBelowAnOperatorsPathIsCovered(t *testing.T) {
	h := withPaths(fixedHost(), map[string]host.Path{"/usr/lib": {Real: "/usr/lib", Dir: true}})
	h.Modules = stdlib()
	r, err := resolveWith(t, func(p *policy.Policy) {
		p.Python.ModulesDeny = []string{"ctypes"}
		p.Files.Read = append(p.Files.Read, "/usr/lib")
	}, script(), h)
	if err != nil {
		t.Fatal(err)
	}
	got := shown(r, "/usr/lib/python3.12")
	for _, name := range []string{"/ctypes", "/lib-dynload/_ctypes.so"} {
		if !slices.Contains(got, name) {
			t.Errorf("%s shows through: only %q are mounts", name, got)
		}
	}
}

// TestDenyBeatsAllowForModules names a package in both lists, one of its modules
// beside it, and shows its directory by paths of the operator's.
func TestDenyBeatsAllowForModules(t *testing.T) {
	const root = "/usr/lib/python3.12"
	h := withPaths(fixedHost(), map[string]host.Path{
		"/usr/lib":     {Real: "/usr/lib", Dir: true},
		root + "/json": {Real: root + "/json", Dir: true},
	})
	h.Modules = plan.Modules{
		Files: []host.ModuleFile{
			{Path: root + "/csv.py", Module: "csv"},
			{Path: root + "/json", Module: "json", Dir: true},
		},
		Denied: []host.ModuleFile{
			{Path: root + "/json", Module: "json", Dir: true},
			{Path: root + "/json/decoder.py", Module: "json"},
		},
		Around: map[string][]host.Neighbour{
			root:           {{Name: "csv.py"}, {Name: "json", Dir: true}},
			root + "/json": {{Name: "decoder.py"}},
		},
	}
	for name, read := range map[string][]string{
		"no paths":         nil,
		"the library":      {"/usr/lib"},
		"the package":      {root + "/json"},
		"one in the other": {"/usr/lib", root + "/json"},
	} {
		r, err := resolveWith(t, func(p *policy.Policy) {
			p.Python.ModulesAllow = []string{"csv", "json"}
			p.Python.ModulesDeny = []string{"json", "json.decoder"}
			p.Files.Read = append(p.Files.Read, read...)
		}, script(), h)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		binds := lines(r, "bind ")
		if slices.ContainsFunc(binds, func(line string) bool { return strings.Contains(line, root+"/json") }) {
			t.Errorf("%s: json is shown by %q", name, binds)
		}
		if !slices.ContainsFunc(binds, func(line string) bool {
			return strings.Contains(line, root+"/csv.py") || strings.Contains(line, "/usr/lib ")
		}) {
			t.Errorf("%s: csv is not shown by %q", name, binds)
		}
	}
}
