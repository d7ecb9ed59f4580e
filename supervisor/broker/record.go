package broker

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/audit"
	"github.com/pysandbox/pysandbox/internal/errnos"
	"github.com/pysandbox/pysandbox/internal/netrule"
	"github.com/pysandbox/pysandbox/seccomp"
)

// Names of rules that no policy line is written for.
const (
	ruleUnix         = "network.unix"
	ruleFamilies     = "network.families" // only local, TCP and UDP sockets
	ruleHandoff      = "network.handoff"  // what a host socket in the sandbox's hands may not do
	ruleInside       = "network.inside"   // stays in the sandbox
	ruleConnections  = "limits.connections"
	rulePids         = "limits.pids"
	ruleSpawn        = "process.spawn"
	ruleSyscalls     = "seccomp.default"
	ruleArchitecture = "seccomp.architecture"
	ruleThreads      = "process.threads"
	ruleInternal     = "internal" // the broker failed, and the call with it
)

// entry begins the record of req. Errno and latency are filled in with the
// answer, when they are known.
func (b *Broker) entry(req *request, verdict, operation, target, rule string) *audit.Record {
	return &audit.Record{
		Time:      req.received,
		Source:    audit.SourceKernel,
		Verdict:   verdict,
		Operation: operation,
		Target:    target,
		Rule:      rule,
	}
}

func (b *Broker) denial(req *request, operation, target, rule string) *audit.Record {
	return b.entry(req, audit.Deny, operation, target, rule)
}

// inside records what does not leave the sandbox, if that is wanted.
func (b *Broker) inside(req *request, operation, target string) {
	if b.config.Verbose {
		req.record = b.entry(req, audit.Allow, operation, target, ruleInside)
	}
}

// judged records a decision of the network rules.
func (b *Broker) judged(req *request, operation string, k socketKind, d destination, decision netrule.Decision) {
	canonical := d
	if decision.Canonical.IsValid() {
		canonical.addr = decision.Canonical
	}
	verdict := audit.Deny
	if decision.Verdict == netrule.Allow {
		verdict = audit.Allow
	}
	req.record = b.entry(req, verdict, operation, canonical.target(k), decision.Rule)
	req.record.Hint = decision.Hint
	if canonical.addr != d.addr {
		req.record.Original = d.target(k)
	}
	if names := b.rules.network.Pinned(d.addr.Addr()); len(names) > 0 {
		req.record.Name = names[0]
	}
}

// complete fills in what only the answer knows.
func (b *Broker) complete(req *request, response seccomp.Response) {
	if response.Errno != 0 || !response.Perform && !response.Continue {
		errno := response.Errno
		if errno == 0 {
			errno = unix.EPERM
		}
		req.record.Errno = errnos.Name(errno)
	}
	req.record.Latency = time.Since(req.received)
}

// identify fills in who made the call, in the sandbox's own numbers. A caller that
// has been killed meanwhile is unknown.
func (b *Broker) identify(req *request) {
	var who identity
	if req.thread != nil {
		who = req.thread.identity()
	} else {
		who, _ = identityOf(int(req.PID))
	}
	req.record.PID, req.record.TID = who.pid, who.tid
}
