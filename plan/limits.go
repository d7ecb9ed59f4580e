package plan

import (
	"errors"
	"fmt"
	"slices"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/pysandbox/pysandbox/namespaces"
	"github.com/pysandbox/pysandbox/policy"
)

// resolvedLimits are the limits that setup sets by setrlimit(2).
type resolvedLimits struct {
	early    namespaces.Program // before the program's process is made
	late     namespaces.Program // in it: what would hinder setup itself
	warnings []*policy.Problem
}

// resolveLimits turns the plan's limits into operations. A limit that only a
// control group can hold for the whole tree is an error where there is none,
// unless limits.best_effort names it; then the closest rlimit stands in.
func resolveLimits(p *Plan, h *Host) (*resolvedLimits, error) {
	limits := slices.Clone(p.Spec.Process.Rlimits)
	r := &resolvedLimits{}
	var problems []error
	for _, need := range p.treeLimits(h.Facts) {
		if !need.wanted || need.available {
			continue
		}
		if !slices.Contains(p.Limits.BestEffort, need.name) {
			problems = append(problems, wrong("limits."+need.name, "it cannot be enforced on this host: %s; give pysandbox a control group (Delegate=yes in its unit, or systemd-run --user --scope -p Delegate=yes), or add %q to limits.best_effort",
				need.reason, need.name))
			continue
		}
		r.warnings = append(r.warnings, &policy.Problem{Key: "limits." + need.name, Err: fmt.Errorf("%s; %s", need.reason, need.instead)})
		limits = append(limits, need.fallback...)
	}
	for _, limit := range limits {
		alone := p.Limits.Pids == 1 && !h.Facts.CgroupCPU
		if limit.Type == "RLIMIT_CPU" && !alone {
			limit = behindTheWatch(limit)
		}
		if host, known := h.Facts.HardLimits[limit.Type]; known && host < limit.Hard {
			r.warnings = append(r.warnings, &policy.Problem{
				Key: rlimitKeys()[limit.Type],
				Err: fmt.Errorf("the caller's own hard limit of %d (%s) is lower than the policy's %d and stays", host, limit.Type, limit.Hard),
			})
			limit.Soft, limit.Hard = min(limit.Soft, host), host
		}
		op, err := rlimitOp(limit)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		if limit.Type == "RLIMIT_NOFILE" || limit.Type == "RLIMIT_DATA" { // of which the stage needs more
			r.late = append(r.late, op)
		} else {
			r.early = append(r.early, op)
		}
	}
	slices.SortFunc(r.early, func(a, b namespaces.Op) int { return int(a.N1) - int(b.N1) })
	return r, errors.Join(problems...)
}

// behindTheWatch is RLIMIT_CPU as it is set beside a supervisor, which counts to the
// nanosecond and ends the run. The kernel compares the rlimit with the timer ticks
// that fell on the process, and counts each as a whole one: on a busy machine that
// has been a tenth more than the process got, and the program would end early.
func behindTheWatch(limit specs.POSIXRlimit) specs.POSIXRlimit {
	limit.Soft, limit.Hard = 2*limit.Soft, 2*limit.Soft+1
	return limit
}

// rlimitKeys are the keys of the limits that setrlimit(2) holds.
func rlimitKeys() map[string]string {
	return map[string]string{
		"RLIMIT_CPU": "limits.cpu", "RLIMIT_DATA": "limits.memory", "RLIMIT_FSIZE": "limits.file_size",
		"RLIMIT_NOFILE": "limits.open_files", "RLIMIT_NPROC": "limits.pids",
	}
}

// treeLimit is a limit on all processes together.
type treeLimit struct {
	name      string
	wanted    bool
	available bool
	reason    string              // why it is not available
	instead   string              // what stands in
	fallback  []specs.POSIXRlimit // limits of each process that stand in
}

// treeLimits lists the limits of the whole tree and what stands in for each.
// RLIMIT_NPROC counts the processes of the sandbox's own user namespace, with
// ours among them (Linux 5.14; setrlimit(2)).
func (p *Plan) treeLimits(f Facts) []treeLimit {
	memory, pids := uint64(p.Limits.Memory), min(uint64(p.Limits.Pids)+1, maxGroupPids)
	return []treeLimit{
		{
			name: "memory", wanted: p.Limits.Memory > 0, available: f.CgroupMemory,
			reason:   "no control group limits memory",
			instead:  "it bounds the private memory of each process alone (RLIMIT_DATA), not shared mappings and memory files",
			fallback: []specs.POSIXRlimit{{Type: "RLIMIT_DATA", Soft: memory, Hard: memory}},
		},
		{
			name: "pids", wanted: p.Limits.Pids > 0, available: f.CgroupPids,
			reason:   "no control group counts processes",
			instead:  "the sandbox's user is bounded instead (RLIMIT_NPROC)",
			fallback: []specs.POSIXRlimit{{Type: "RLIMIT_NPROC", Soft: pids, Hard: pids}},
		},
		{
			// One process has its own limit, which Spec holds already.
			name: "cpu", wanted: p.Limits.CPU > 0, available: f.CgroupCPU || p.Limits.Pids == 1,
			reason:  "no control group counts CPU time",
			instead: "it is sampled, and each process alone is bounded by twice as much (RLIMIT_CPU)",
		},
		{
			name: "cpu_quota", wanted: p.Limits.CPUQuota > 0, available: f.CgroupCPU,
			reason:  "no control group shares out processors",
			instead: "nothing stands in",
		},
	}
}

func rlimitOp(limit specs.POSIXRlimit) (namespaces.Op, error) {
	resource, known := namespaces.Rlimit(limit.Type)
	if !known {
		return namespaces.Op{}, fmt.Errorf("unknown resource limit %s", limit.Type)
	}
	return namespaces.Op{Code: namespaces.OpRlimit, N1: resource, N2: limit.Soft, N3: limit.Hard}, nil
}
