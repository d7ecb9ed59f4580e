package plan_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/netip"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pysandbox/pysandbox/internal/netrule"
	"github.com/pysandbox/pysandbox/plan"
	"github.com/pysandbox/pysandbox/policy"
)

// changes has for every field of a policy one change from fieldsBase.
func changes() map[string]func(*policy.Policy) {
	rule := netrule.Rule{Text: "udp://192.0.2.1:53", Protocol: netrule.UDP, Kind: netrule.TargetPrefix, Prefix: netip.MustParsePrefix("192.0.2.1/32"), Ports: []netrule.PortRange{{First: 53, Last: 53}}}
	return map[string]func(*policy.Policy){
		"Name":                 func(p *policy.Policy) { p.Name = "other" },
		"Layers":               func(p *policy.Policy) { p.Layers = []string{"other"} },
		"EnvUsed":              func(p *policy.Policy) { p.EnvUsed = []string{"PYSANDBOX_PRESET"} },
		"Require":              func(p *policy.Policy) { p.Require = "nothing" },
		"Python.Interpreter":   func(p *policy.Policy) { p.Python.Interpreter = "3.11" },
		"Python.ModulesAllow":  func(p *policy.Policy) { p.Python.ModulesAllow = []string{"json"} },
		"Python.ModulesDeny":   func(p *policy.Policy) { p.Python.ModulesDeny = []string{"json"} },
		"Files.Read":           func(p *policy.Policy) { p.Files.Read = []string{"/srv/data"} },
		"Files.Write":          func(p *policy.Policy) { p.Files.Write = []string{"/srv/out"} },
		"Files.Exec":           func(p *policy.Policy) { p.Files.Exec = []string{"/opt/tool"} },
		"Files.TmpExec":        func(p *policy.Policy) { p.Files.TmpExec = true },
		"Files.ShmSize":        func(p *policy.Policy) { p.Files.ShmSize++ },
		"Files.AllowRootOwned": func(p *policy.Policy) { p.Files.AllowRootOwned = false },
		"Network.Rules.Allow":  func(p *policy.Policy) { p.Network.Rules.Allow = []netrule.Rule{rule} },
		"Network.Rules.Deny":   func(p *policy.Policy) { p.Network.Rules.Deny = []netrule.Rule{rule} },
		"Network.HostLoopback": func(p *policy.Policy) { p.Network.HostLoopback = []policy.Port{{Protocol: netrule.TCP, Number: 1}} },
		"Network.Listen": func(p *policy.Policy) {
			p.Network.Listen = []policy.Listen{{Text: "tcp:8000", Address: "127.0.0.1", Host: 8000, Guest: 8000}}
		},
		"Network.Unix":       func(p *policy.Policy) { p.Network.Unix = []string{"/run/x"} },
		"Network.Direct":     func(p *policy.Policy) { p.Network.Direct = true },
		"Network.Errno":      func(p *policy.Policy) { p.Network.Errno = "ECONNREFUSED" },
		"Network.DNSNames":   func(p *policy.Policy) { p.Network.DNSNames++ },
		"Network.DNSBytes":   func(p *policy.Policy) { p.Network.DNSBytes++ },
		"Process.SpawnAny":   func(p *policy.Policy) { p.Process.SpawnAny = true },
		"Process.Spawn":      func(p *policy.Policy) { p.Process.Spawn = []string{"git"} },
		"Process.Threads":    func(p *policy.Policy) { p.Process.Threads = false },
		"Process.Directory":  func(p *policy.Policy) { p.Process.Directory = "/tmp" },
		"Env.Pass":           func(p *policy.Policy) { p.Env.Pass = []string{"SECRET"} },
		"Env.Set":            func(p *policy.Policy) { p.Env.Set = map[string]string{"A": "1"} },
		"Limits.Wall":        func(p *policy.Policy) { p.Limits.Wall = time.Second },
		"Limits.CPU":         func(p *policy.Policy) { p.Limits.CPU = time.Second },
		"Limits.Memory":      func(p *policy.Policy) { p.Limits.Memory++ },
		"Limits.Pids":        func(p *policy.Policy) { p.Limits.Pids++ },
		"Limits.OpenFiles":   func(p *policy.Policy) { p.Limits.OpenFiles++ },
		"Limits.FileSize":    func(p *policy.Policy) { p.Limits.FileSize++ },
		"Limits.TmpSize":     func(p *policy.Policy) { p.Limits.TmpSize++ },
		"Limits.Output":      func(p *policy.Policy) { p.Limits.Output++ },
		"Limits.CPUQuota":    func(p *policy.Policy) { p.Limits.CPUQuota = 0.5 },
		"Limits.Connections": func(p *policy.Policy) { p.Limits.Connections++ },
		"Limits.Inodes":      func(p *policy.Policy) { p.Limits.Inodes++ },
		"Limits.BestEffort":  func(p *policy.Policy) { p.Limits.BestEffort = nil },
		"Syscalls.Allow":     func(p *policy.Policy) { p.Syscalls.Allow = []string{"sysv"} },
		"Syscalls.Errno":     func(p *policy.Policy) { p.Syscalls.Errno = map[string]string{"syslog": "ENOSYS"} },
		"Capabilities":       func(p *policy.Policy) { p.Capabilities = []string{"clock"} },
	}
}

// TestEveryFieldOfAPolicyCounts holds that nothing an operator writes is ignored:
// each field changes what is set up, is an error, or is read by the supervisor. A
// new field fails until it has an entry here and an effect.
func TestEveryFieldOfAPolicyCounts(t *testing.T) {
	fields := slices.DeleteFunc(leaves(reflect.TypeFor[policy.Policy](), ""), func(field string) bool {
		return field == "Origins" // of errors
	})
	read := supervisorReads(t)
	table := changes()
	for _, field := range fields {
		change, ok := table[field]
		if !ok {
			t.Errorf("policy.%s is new: say in changes() how it changes, and give it an effect", field)
			continue
		}
		delete(table, field)
		before, after := effect(t, func(*policy.Policy) {}), effect(t, change)
		name := field[strings.LastIndexByte(field, '.')+1:]
		if before == after && !read[name] {
			t.Errorf("policy.%s has no effect: neither the setup nor the supervisor depends on it", field)
		}
	}
	for field := range table {
		t.Errorf("policy.%s is in changes() and no field", field)
	}
}

// leaves lists the fields of nested structs by path.
func leaves(typ reflect.Type, prefix string) []string {
	var names []string
	for i := range typ.NumField() {
		field := typ.Field(i)
		if field.Type.Kind() == reflect.Struct {
			names = append(names, leaves(field.Type, prefix+field.Name+".")...)
			continue
		}
		names = append(names, prefix+field.Name)
	}
	return names
}

// fieldsBase is a policy and a host on which every field could matter: root, no
// control group, a writable directory of root's.
func fieldsBase(t *testing.T) (policy.Policy, plan.Host) {
	pol := preset(t, "strict")
	pol.Files.Write, pol.Files.AllowRootOwned = []string{"/srv/root"}, true
	h := fixedHost()
	h.Facts.Root, h.Facts.CgroupMemory = true, false
	return pol, h
}

// effect describes all that a changed policy leads to, but for what the plan
// merely hands on.
func effect(t *testing.T, change func(*policy.Policy)) string {
	t.Helper()
	pol, h := fieldsBase(t)
	change(&pol)
	p, err := plan.Compile(pol, script())
	if err != nil {
		return err.Error()
	}
	r, err := plan.Resolve(p, h)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprint(p.Policy, p.Sources, p.EnvUsed, p.Command, resources(p),
		r.Setup, p.Filter.Digest(), r.Sockets, r.Wall, r.Tier)
}

func resources(p *plan.Plan) string {
	text := describeResources(p)
	limits, _, _ := strings.Cut(text, "wall ") // what follows is handed on
	return limits
}

// supervisorReads collects the names of all fields that the supervisor's sources
// select.
func supervisorReads(t *testing.T) map[string]bool {
	t.Helper()
	read := make(map[string]bool)
	err := filepath.WalkDir("../supervisor", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if selector, ok := n.(*ast.SelectorExpr); ok {
				read[selector.Sel.Name] = true
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return read
}
