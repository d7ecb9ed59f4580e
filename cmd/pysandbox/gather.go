package main

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/host"
	"github.com/pysandbox/pysandbox/plan"
	"github.com/pysandbox/pysandbox/seccomp"
	"github.com/pysandbox/pysandbox/seccomp/libseccomp"
)

// gather asks this host all that a plan needs to know of it.
func gather(p *plan.Plan) (plan.Host, error) {
	caller := host.Caller{UID: os.Geteuid(), Directory: p.Invocation.Directory, Env: p.Invocation.Env}
	interpreter, err := host.FindInterpreter(p.Command.Interpreter, caller)
	if err != nil {
		return plan.Host{}, err
	}
	h := plan.Host{
		Facts:       facts(),
		Interpreter: interpreter,
		Paths:       host.LookPaths(p.HostPaths()),
		CPUs:        runtime.NumCPU(),
		Compile:     libseccomp.Compile,
	}
	if h.Addresses, err = addresses(); err != nil {
		return plan.Host{}, err
	}
	if !p.Command.Python {
		if h.Program, err = exec.LookPath(p.Command.Program); err != nil {
			return plan.Host{}, fmt.Errorf("find the command %s: %w", p.Command.Program, err)
		}
	}
	return h, nil
}

// SEAM: host.Probe.
func facts() plan.Facts {
	f := plan.Facts{Root: os.Geteuid() == 0, FilterFlags: seccomp.LoadFlags(), HardLimits: map[string]uint64{}}
	abi, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno == 0 {
		f.Landlock = int(abi)
	}
	for name, resource := range map[string]int{
		"RLIMIT_NOFILE": unix.RLIMIT_NOFILE, "RLIMIT_CORE": unix.RLIMIT_CORE, "RLIMIT_CPU": unix.RLIMIT_CPU,
		"RLIMIT_FSIZE": unix.RLIMIT_FSIZE, "RLIMIT_NPROC": unix.RLIMIT_NPROC, "RLIMIT_DATA": unix.RLIMIT_DATA,
	} {
		var limit unix.Rlimit
		if err := unix.Getrlimit(resource, &limit); err == nil {
			f.HardLimits[name] = limit.Max
		}
	}
	return f
}

// SEAM: host addresses.
func addresses() ([]netip.Addr, error) {
	list, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("list the host's addresses: %w", err)
	}
	var found []netip.Addr
	for _, a := range list {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil {
			found = append(found, prefix.Addr())
		}
	}
	return found, nil
}
