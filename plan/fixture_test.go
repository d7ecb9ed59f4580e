package plan_test

import (
	"maps"
	"net/netip"
	"testing"

	"github.com/pysandbox/pysandbox/internal/host"
	"github.com/pysandbox/pysandbox/plan"
	"github.com/pysandbox/pysandbox/policy"
	"github.com/pysandbox/pysandbox/seccomp"
	"github.com/pysandbox/pysandbox/seccomp/libseccomp"
)

// script is the invocation of most tests.
func script() plan.Invocation {
	return plan.Invocation{
		Kind:      plan.RunScript,
		Argument:  "/srv/job/job.py",
		Args:      []string{"input.csv"},
		Directory: "/srv/job",
		Env:       map[string]string{"LANG": "C.UTF-8", "SECRET": "hunter2", "PYTHONPATH": "/elsewhere"},
	}
}

func preset(t *testing.T, name string) policy.Policy {
	t.Helper()
	pol, err := policy.Load(policy.Options{Preset: name, Directory: "/srv/job"})
	if err != nil {
		t.Fatal(err)
	}
	return pol
}

func compile(t *testing.T, pol policy.Policy, inv plan.Invocation) *plan.Plan {
	t.Helper()
	p, err := plan.Compile(pol, inv)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func resolve(t *testing.T, p *plan.Plan, h plan.Host) *plan.Resolved {
	t.Helper()
	r, err := plan.Resolve(p, h)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// fixedHost is a host on paper, so that golden files mean the same everywhere.
func fixedHost() plan.Host {
	return plan.Host{
		Facts: plan.Facts{
			Landlock:     7,
			FilterFlags:  seccomp.FlagNewListener | seccomp.FlagSpecAllow | seccomp.FlagWaitKillable,
			CgroupMemory: true, CgroupPids: true, CgroupCPU: true,
		},
		Interpreter: host.Interpreter{
			Executable: "/usr/bin/python3",
			Version:    "3.12",
			Prefix:     "/usr",
			Closure: host.Closure{
				Binds: []host.Bind{
					{Path: "/etc/ssl/certs", Public: true},
					{Path: "/usr/bin/python3.12", Exec: true, Public: true},
					{Path: "/usr/lib/python3.12", Exec: true, Public: true},
					{Path: "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", Exec: true, Public: true},
					{Path: "/usr/lib/x86_64-linux-gnu/libc.so.6", Exec: true, Public: true},
				},
				Links: []host.Link{
					{Path: "/lib64", Target: "usr/lib64"},
					{Path: "/usr/bin/python3", Target: "python3.12"},
					{Path: "/usr/lib64/ld-linux-x86-64.so.2", Target: "../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"},
				},
			},
		},
		Program: "/usr/bin/git",
		Spawn:   host.Closure{Binds: []host.Bind{{Path: "/usr/bin/git", Exec: true, Public: true}}},
		Paths: map[string]host.Path{
			"/srv/job":        {Real: "/srv/job", Dir: true, Owner: 1001},
			"/srv/job/job.py": {Real: "/srv/job/job.py", Owner: 1001},
			"/srv/data":       {Real: "/srv/data", Dir: true, Owner: 1001},
			"/srv/out":        {Real: "/srv/out", Dir: true, Owner: 1001},
			"/srv/link": {
				Real: "/srv/data/real", Dir: true, Owner: 1001,
				Links: []host.Link{{Path: "/srv/link", Target: "data/real"}},
			},
			"/srv/root": {Real: "/srv/root", Dir: true, Owner: 0},
			"/opt/tool": {Real: "/opt/tool", Dir: true, Owner: 0},
		},
		CPUs:      8,
		Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.10")},
		Compile:   refuseAll,
	}
}

// refuseAll stands for a filter where only the order of operations matters. It
// kills whatever loads it, should it ever be loaded.
func refuseAll(seccomp.FilterSpec) (seccomp.Program, error) {
	const retKillProcess = 0x80000000
	return seccomp.Program{{Code: 0x06, K: retKillProcess}}, nil
}

// realHost is fixedHost with filters that the kernel could load.
func realHost() plan.Host {
	h := fixedHost()
	h.Compile = libseccomp.Compile
	return h
}

// withPaths returns a host that has further paths.
func withPaths(h plan.Host, more map[string]host.Path) plan.Host {
	h.Paths = maps.Clone(h.Paths)
	maps.Copy(h.Paths, more)
	return h
}
