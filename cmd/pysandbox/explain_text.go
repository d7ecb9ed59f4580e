package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pysandbox/pysandbox/internal/host"
	"github.com/pysandbox/pysandbox/internal/netrule"
	"github.com/pysandbox/pysandbox/namespaces"
	"github.com/pysandbox/pysandbox/plan"
	"github.com/pysandbox/pysandbox/seccomp"
)

// fact is one line of explain: what holds, and which layer enforces it. A fact
// without a layer is information.
type fact struct{ name, value, layer string }

// section is a titled group of facts.
type section struct {
	title string
	facts []fact
}

// explainText lays a resolved plan out in three aligned columns.
func explainText(e explained) string {
	r := e.Resolved
	sections := []section{
		aboutSection(e), filesSection(r), networkSection(r), processSection(r),
		environmentSection(r), modulesSection(r), limitsSection(r), syscallSection(r),
	}
	nameWidth, valueWidth := 0, 0
	for _, s := range sections {
		for _, f := range s.facts {
			nameWidth = max(nameWidth, len(f.name))
			if f.layer != "" {
				valueWidth = max(valueWidth, min(len(escape(f.value)), maxValue))
			}
		}
	}
	var out strings.Builder
	for _, s := range sections {
		if len(s.facts) == 0 {
			continue
		}
		fmt.Fprintf(&out, "%s\n", s.title)
		for _, f := range s.facts {
			line := fmt.Sprintf("  %-*s  %-*s  %s", nameWidth, f.name, valueWidth, escape(f.value), f.layer)
			out.WriteString(strings.TrimRight(line, " ") + "\n")
		}
	}
	return out.String()
}

// maxValue is the width that the column of values grows to; a longer value
// pushes its layer aside.
const maxValue = 52

func aboutSection(r explained) section {
	facts := []fact{
		{"policy", r.Plan.Policy, ""},
		{"made from", strings.Join(r.Plan.Sources, ", "), ""},
	}
	if len(r.Plan.EnvUsed) > 0 {
		facts = append(facts, fact{"variables", strings.Join(r.Plan.EnvUsed, ", "), ""})
	}
	facts = append(facts, fact{"tier", r.Tier + ", at least " + r.Plan.Require + " is required", ""})
	for _, warning := range r.warnings {
		facts = append(facts, fact{"warning", warning, ""})
	}
	return section{"plan", facts}
}

// The layers, as explain names them.
const (
	byMounts   = "mount namespace, Landlock"
	byTree     = "mount namespace"
	byPython   = "interpreter"
	bySeccomp  = "seccomp"
	bySuper    = "supervisor"
	byCgroup   = "cgroup"
	byNetwork  = "supervisor; network namespace"
	byIdentity = "user namespace"
)

func filesSection(r *plan.Resolved) section {
	var facts []fact
	add := func(name string, paths []string) {
		for _, path := range paths {
			layer := byMounts
			if slices.Contains(r.ByMountOnly, path) {
				layer = byTree
			}
			facts = append(facts, fact{name, path, layer})
		}
	}
	p := r.Plan
	add("read", p.Files.Read)
	if p.Command.Script != "" {
		add("read", []string{p.Command.Script})
	}
	add("write", p.Files.Write)
	add("execute", p.Files.Exec)
	interpreter := fmt.Sprintf("Python %s, %d paths of the host", r.Interpreter.Version, len(r.Interpreter.Binds))
	layer := byMounts
	if slices.ContainsFunc(r.Interpreter.Binds, func(b host.Bind) bool { return slices.Contains(r.ByMountOnly, b.Path) }) {
		layer = byTree
	}
	facts = append(facts, fact{"read", interpreter, layer})
	private := "/tmp and home of " + p.Limits.TmpSize.String() + " each, /dev/shm of " + p.Files.ShmSize.String()
	facts = append(facts, fact{"write", private, "tmpfs"}, fact{"otherwise", "nothing is there", byTree})
	return section{"files", facts}
}

func networkSection(r *plan.Resolved) section {
	var facts []fact
	p := r.Plan
	rules := func(name string, list []netrule.Rule) {
		for _, rule := range list {
			facts = append(facts, fact{name, rule.Text, byNetwork})
		}
	}
	rules("allow", p.Network.Rules.Allow)
	rules("deny", p.Network.Rules.Deny)
	for _, port := range p.Network.HostLoopback {
		facts = append(facts, fact{"host loopback", port.String(), bySuper})
	}
	for _, listen := range p.Network.Listen {
		facts = append(facts, fact{"publish", listen.Text, bySuper})
	}
	for _, path := range p.Network.Unix {
		facts = append(facts, fact{"host socket", path, bySuper})
	}
	if p.Network.Direct {
		facts = append(facts, fact{"passed listeners", "the program's own", bySuper})
	}
	otherwise := "network namespace, seccomp"
	if namespaces.Handled(r.Landlock).Net != 0 {
		otherwise = "network namespace, Landlock, seccomp"
	}
	facts = append(facts,
		fact{"loopback", "the sandbox's own", "network namespace"},
		fact{"otherwise", p.Network.Errno, otherwise})
	return section{"network", facts}
}

func processSection(r *plan.Resolved) section {
	p := r.Plan
	spec := p.Spec.Process
	program := "Python of " + r.Interpreter.Executable
	if !p.Command.Python {
		program = p.Command.Program
	}
	spawn := "none"
	switch {
	case p.Process.SpawnAny:
		spawn = "any of the system's"
	case len(p.Process.Spawn) > 0:
		spawn = strings.Join(p.Process.Spawn, ", ")
	}
	return section{"process", []fact{
		{"program", program, ""},
		{"arguments", strings.Join(quoteAll(p.Command.Args), " "), ""},
		{"user", fmt.Sprintf("uid %d, gid %d, no other groups", spec.User.UID, spec.User.GID), byIdentity},
		{"privileges", "no capabilities, and none to be had", "capability sets, no_new_privs"},
		{"programs", spawn, "mount namespace, Landlock, seccomp"},
		{"threads", yesNo(p.Process.Threads), bySeccomp},
		{"sees", "only its own processes", "PID namespace, /proc"},
	}}
}

func environmentSection(r *plan.Resolved) section {
	var facts []fact
	for _, line := range r.Environment() {
		facts = append(facts, fact{"set", line, ""})
	}
	return section{"environment", facts}
}

// limitsSection names the layer that holds each limit here, or what stands in for it.
func limitsSection(r *plan.Resolved) section {
	l := r.Plan.Limits
	lacks := make(map[string]string)
	for _, warning := range r.Warnings {
		lacks[warning.Key] = warning.Err.Error()
	}
	facts := []fact{}
	add := func(name string, given bool, value, layer string) {
		if given {
			if lack, lacking := lacks["limits."+name]; lacking {
				layer = lack
			}
			facts = append(facts, fact{name, value, layer})
		}
	}
	add("wall", l.Wall > 0, l.Wall.String(), bySuper)
	add("cpu", l.CPU > 0, l.CPU.String(), "cgroup, rlimit")
	add("memory", l.Memory > 0, l.Memory.String(), byCgroup)
	add("pids", l.Pids > 0, fmt.Sprint(l.Pids), byCgroup)
	add("cpu_quota", l.CPUQuota > 0, fmt.Sprintf("%g processors", l.CPUQuota), byCgroup)
	add("output", l.Output > 0, l.Output.String(), bySuper)
	add("connections", l.Connections > 0, fmt.Sprint(l.Connections), bySuper)
	add("open_files", l.OpenFiles > 0, fmt.Sprint(l.OpenFiles)+" for each process", "rlimit")
	add("file_size", l.FileSize > 0, l.FileSize.String()+" for each file", "rlimit")
	add("tmp_size", l.TmpSize > 0, l.TmpSize.String(), "tmpfs")
	add("inodes", l.Inodes > 0, fmt.Sprint(l.Inodes)+" for each tmpfs", "tmpfs")
	return section{"limits", facts}
}

func syscallSection(r *plan.Resolved) section {
	count := make(map[seccomp.Action]map[string]bool)
	for _, rule := range r.Plan.Filter.Rules {
		if count[rule.Action] == nil {
			count[rule.Action] = make(map[string]bool)
		}
		count[rule.Action][rule.Syscall] = true
	}
	return section{"system calls", []fact{
		{"layers", strings.Join(r.Plan.Layers, ", "), ""},
		{"filter", fmt.Sprintf("%d instructions", len(r.Filter)), bySeccomp},
		{"run", fmt.Sprintf("%d calls", len(count[seccomp.ActAllow])), "seccomp, kernel"},
		{"are decided", fmt.Sprintf("%d calls", len(count[seccomp.ActNotify])), "seccomp, supervisor"},
		{"otherwise", "EPERM; ENOSYS for calls that are not known", bySeccomp},
	}}
}

func quoteAll(words []string) []string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = shellQuote(word)
	}
	return quoted
}

// shellQuote writes a word as a shell would have to be given it.
func shellQuote(word string) string {
	if word != "" && !strings.ContainsAny(word, " \t\n'\"\\$`*?[](){}<>|&;~#!") {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}
