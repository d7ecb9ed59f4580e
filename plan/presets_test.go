package plan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/policy"
	"github.com/pysandbox/pysandbox/seccomp"
)

// TestPresetsPage holds docs/presets.md, which this test writes.
func TestPresetsPage(t *testing.T) {
	var page strings.Builder
	page.WriteString(presetsIntroduction)
	policies := make([]policy.Policy, len(presets()))
	for i, name := range presets() {
		policies[i] = preset(t, name)
	}
	writeSettings(&page, policies)
	page.WriteString(layersIntroduction)
	writeLayers(t, &page)
	page.WriteString(presetsEnd)
	checkGolden(t, "../docs/presets.md", page.String())
}

const presetsIntroduction = `# Presets

A preset is a policy that comes with pysandbox; ` + "`--preset`" + ` names one, and a policy
file may extend one. ` + "`pysandbox explain --preset=NAME`" + ` shows what it amounts to on
your host. The files are in [configs](../configs), what each turns into stands in
[configs/testdata](../configs/testdata). This page is generated from them by
[TestPresetsPage](../plan/presets_test.go).

## Settings

`

const layersIntroduction = `
What a process may do is bounded for the whole tree by a control group; where an
ordinary user has none, limits on each process stand in, if ` + "`limits.best_effort`" + `
permits it, as the presets do. The one for memory bounds what a process holds for
itself: shared mappings and memory files (memfd_create) are then bounded by the host
alone.

## System calls

The filter is made of layers. Sockets, files and processes are let through freely
where another layer contains them: connections end in an empty network namespace
unless the supervisor makes them, and files are only those that are mounted.

`

const presetsEnd = `
` + "`threads`" + ` follows ` + "`process.threads`" + `. ` + "`subprocess`" + ` is there when ` + "`limits.pids`" + ` leaves
room for a second process, or ` + "`process.spawn`" + `, ` + "`files.exec`" + ` or ` + "`files.tmp_exec`" + ` name
something to execute. ` + "`datagrams`" + ` is there unless the policy makes files of the host
visible, among which a server's socket may be. ` + "`sysv`" + ` and ` + "`confine`" + ` are for
` + "`syscalls.allow`" + `, which takes names of layers and of single calls.

Known calls of no layer fail with EPERM and are reported. Calls that this version
does not know fail with ENOSYS, as on an older kernel. Calls of another
architecture, and of the x32 ABI, are never made: the supervisor kills the sandbox
for one and reports which it was (status 159).
`

func writeSettings(page *strings.Builder, policies []policy.Policy) {
	rows := []struct {
		name  string
		value func(policy.Policy) string
	}{
		{"connections to", func(p policy.Policy) string { return ruleTexts(p) }},
		{"other programs", func(p policy.Policy) string { return yes(p.Process.SpawnAny, "those of the system", "none") }},
		{"threads", func(p policy.Policy) string { return yes(p.Process.Threads, "yes", "no") }},
		{"processes and threads", func(p policy.Policy) string { return fmt.Sprint(p.Limits.Pids) }},
		{"memory of all processes", func(p policy.Policy) string { return p.Limits.Memory.String() }},
		{"wall time", func(p policy.Policy) string { return yes(p.Limits.Wall > 0, p.Limits.Wall.String(), "no limit") }},
		{"CPU time", func(p policy.Policy) string { return yes(p.Limits.CPU > 0, p.Limits.CPU.String(), "no limit") }},
		{"output", func(p policy.Policy) string { return yes(p.Limits.Output > 0, p.Limits.Output.String(), "no limit") }},
		{"open files of a process", func(p policy.Policy) string { return fmt.Sprint(p.Limits.OpenFiles) }},
		{"size of a file", func(p policy.Policy) string { return p.Limits.FileSize.String() }},
		{"/tmp, and home", func(p policy.Policy) string { return p.Limits.TmpSize.String() + " each" }},
		{"/dev/shm", func(p policy.Policy) string { return p.Files.ShmSize.String() }},
		{"files in each of them", func(p policy.Policy) string { return fmt.Sprint(p.Limits.Inodes) }},
		{"connections at a time", func(p policy.Policy) string { return fmt.Sprint(p.Limits.Connections) }},
		{"variables passed", func(p policy.Policy) string { return strings.Join(p.Env.Pass, ", ") }},
	}
	writeHead(page, "")
	for _, row := range rows {
		fmt.Fprintf(page, "| %s |", row.name)
		for _, pol := range policies {
			fmt.Fprintf(page, " %s |", row.value(pol))
		}
		page.WriteString("\n")
	}
}

func writeHead(page *strings.Builder, last string) {
	columns := presets()
	if last != "" {
		columns = append(columns, last)
	}
	fmt.Fprintf(page, "| | %s |\n|---|%s\n", strings.Join(columns, " | "), strings.Repeat("---|", len(columns)))
}

func ruleTexts(p policy.Policy) string {
	if len(p.Network.Rules.Allow) == 0 {
		return "nothing"
	}
	var words []string
	for _, rule := range p.Network.Rules.Allow {
		words = append(words, "`"+rule.Text+"`")
	}
	for _, rule := range p.Network.Rules.Deny {
		words = append(words, "not `"+rule.Text+"`")
	}
	return strings.Join(words, ", ")
}

func yes(is bool, yes, no string) string {
	if is {
		return yes
	}
	return no
}

func writeLayers(t *testing.T, page *strings.Builder) {
	t.Helper()
	writeHead(page, "what for")
	for _, layer := range seccomp.LayerNames() {
		fmt.Fprintf(page, "| %s |", layer.Name)
		for _, name := range presets() {
			layers := compile(t, preset(t, name), script()).Layers
			fmt.Fprintf(page, " %s |", yes(slices.Contains(layers, layer.Name), "yes", ""))
		}
		fmt.Fprintf(page, " %s |\n", layer.About)
	}
}
