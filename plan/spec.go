package plan

import (
	"maps"
	"slices"
	"strconv"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/pysandbox/pysandbox/namespaces"
	"github.com/pysandbox/pysandbox/policy"
	"github.com/pysandbox/pysandbox/seccomp"
)

// The program's ids inside; cpython-shim/stage.h has the same.
const (
	insideUID = seccomp.OwnID
	insideGID = seccomp.OwnID
)

// cpuPeriod is the period of a CPU quota, in microseconds, as everywhere.
const cpuPeriod = 100_000

// compileSpec returns the part of the plan that OCI can say. Its mounts name the
// operator's paths as they were written; the interpreter's closure, which only a
// host knows, is missing, and so is the filter, whose translation takes longer
// than all else and is of use to other runtimes only.
func (p *Plan) compileSpec(env map[string]string) *specs.Spec {
	umask := uint32(0o022)
	return &specs.Spec{
		Version: specs.Version,
		Process: &specs.Process{
			Terminal:        p.Invocation.Terminal,
			User:            specs.User{UID: insideUID, GID: insideGID, Umask: &umask},
			Args:            append([]string{p.Command.name()}, p.Command.Args...),
			Env:             environmentList(env),
			Cwd:             p.compileDirectory(),
			Capabilities:    &specs.LinuxCapabilities{},
			Rlimits:         compileRlimits(p.Limits),
			NoNewPrivileges: true,
		},
		Root:     &specs.Root{Path: "rootfs", Readonly: true},
		Hostname: "sandbox",
		Mounts:   slices.Concat(p.fixedMounts(), p.userMounts()),
		Linux: &specs.Linux{
			UIDMappings:   []specs.LinuxIDMapping{{ContainerID: insideUID, HostID: insideUID, Size: 1}},
			GIDMappings:   []specs.LinuxIDMapping{{ContainerID: insideGID, HostID: insideGID, Size: 1}},
			Namespaces:    compileNamespaces(),
			Resources:     compileResources(p.Limits),
			MaskedPaths:   maskedPaths(),
			ReadonlyPaths: []string{"/proc"},
		},
	}
}

// name is the program's own name before a host has said where it is.
func (c Command) name() string {
	switch {
	case !c.Python:
		return c.Program
	case c.Interpreter == "":
		return "python3"
	default:
		return c.Interpreter
	}
}

// compileDirectory is where the program starts as far as the policy tells: where
// it says, where the caller is if that is visible, otherwise home.
func (p *Plan) compileDirectory() string {
	if p.Process.Directory != "" {
		return p.Process.Directory
	}
	if belowAny(p.Invocation.Directory, slices.Collect(maps.Keys(p.paths()))) {
		return p.Invocation.Directory
	}
	return home
}

func compileNamespaces() []specs.LinuxNamespace {
	var all []specs.LinuxNamespace
	for _, kind := range []specs.LinuxNamespaceType{
		specs.UserNamespace, specs.MountNamespace, specs.PIDNamespace, specs.NetworkNamespace,
		specs.IPCNamespace, specs.UTSNamespace, specs.CgroupNamespace,
	} {
		all = append(all, specs.LinuxNamespace{Type: kind})
	}
	return all
}

// compileRlimits returns the limits of each process. CPU time ends with SIGXCPU
// and, a second later, with SIGKILL for a program that ignores it. A core limit
// of 1 byte keeps a core_pattern that pipes from running, which 0 does not
// (core(5)). Nobody goes before the host's other processes, whatever the caller may do
// (sched(7)).
func compileRlimits(l policy.Limits) []specs.POSIXRlimit {
	limits := []specs.POSIXRlimit{{Type: "RLIMIT_CORE", Soft: 1, Hard: 1}, {Type: "RLIMIT_RTPRIO"}}
	if l.CPU > 0 {
		seconds := uint64((l.CPU + time.Second - 1) / time.Second)
		limits = append(limits, specs.POSIXRlimit{Type: "RLIMIT_CPU", Soft: seconds, Hard: seconds + 1})
	}
	if l.FileSize > 0 {
		limits = append(limits, specs.POSIXRlimit{Type: "RLIMIT_FSIZE", Soft: uint64(l.FileSize), Hard: uint64(l.FileSize)})
	}
	if l.OpenFiles > 0 {
		limits = append(limits, specs.POSIXRlimit{Type: "RLIMIT_NOFILE", Soft: uint64(l.OpenFiles), Hard: uint64(l.OpenFiles)})
	}
	return limits
}

// maxGroupPids is the largest pids.max that the kernel takes but for "max": PID_MAX_LIMIT
// of include/linux/threads.h.
const maxGroupPids = 4 << 20

// maxGroupCores is a quota that is none on any host and that the kernel still takes:
// MAX_BW of kernel/sched/sched.h bounds it to 2^44 microseconds.
const maxGroupCores = 1 << 20

// compileResources returns the limits of the whole tree. The first process of
// the sandbox is ours and comes on top of limits.pids.
func compileResources(l policy.Limits) *specs.LinuxResources {
	r := &specs.LinuxResources{}
	if l.Memory > 0 {
		memory := int64(l.Memory)
		r.Memory = &specs.LinuxMemory{Limit: &memory, Swap: &memory} // Swap is memory and swap together: none
	}
	if l.Pids > 0 {
		pids := min(int64(l.Pids)+1, maxGroupPids)
		r.Pids = &specs.LinuxPids{Limit: &pids}
	}
	if l.CPUQuota > 0 {
		quota, period := int64(min(l.CPUQuota, maxGroupCores)*cpuPeriod), uint64(cpuPeriod)
		r.CPU = &specs.LinuxCPU{Quota: &quota, Period: &period}
	}
	return r
}

// fixedMounts are the sandbox's own file systems.
func (p *Plan) fixedMounts() []specs.Mount {
	noexec := []string{"nosuid", "nodev", "noexec"}
	return []specs.Mount{
		{Destination: "/proc", Type: "proc", Source: "proc", Options: noexec},
		{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "noexec", "mode=755", "size=65536"}},
		{Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"}},
		tmpfsMount(p.shmTmpfs()),
		tmpfsMount(p.tmpTmpfs()),
		tmpfsMount(p.homeTmpfs()),
	}
}

func (p *Plan) shmTmpfs() namespaces.Tmpfs {
	return namespaces.Tmpfs{
		Path: "/dev/shm", Bytes: uint64(p.Files.ShmSize), Inodes: uint64(p.Limits.Inodes),
		Mode: 0o1777, Flags: namespaces.FlagNoExec,
	}
}

func (p *Plan) tmpTmpfs() namespaces.Tmpfs {
	flags := namespaces.FlagNoExec
	if p.Files.TmpExec {
		flags = 0
	}
	return namespaces.Tmpfs{
		Path: "/tmp", Bytes: uint64(p.Limits.TmpSize), Inodes: uint64(p.Limits.Inodes),
		Mode: 0o1777, Flags: flags,
	}
}

// homeTmpfs is as large as /tmp: what fits there fits here.
func (p *Plan) homeTmpfs() namespaces.Tmpfs {
	return namespaces.Tmpfs{
		Path: home, Bytes: uint64(p.Limits.TmpSize), Inodes: uint64(p.Limits.Inodes),
		Mode: 0o700, Flags: namespaces.FlagNoExec,
	}
}

func tmpfsMount(t namespaces.Tmpfs) specs.Mount {
	options := []string{"nosuid", "nodev"}
	if t.Flags&namespaces.FlagNoExec != 0 {
		options = append(options, "noexec")
	}
	options = append(options, "mode="+strconv.FormatUint(t.Mode, 8))
	if t.Bytes > 0 {
		options = append(options, "size="+strconv.FormatUint(t.Bytes, 10))
	}
	if t.Inodes > 0 {
		options = append(options, "nr_inodes="+strconv.FormatUint(t.Inodes, 10))
	}
	return specs.Mount{Destination: t.Path, Type: "tmpfs", Source: "tmpfs", Options: options}
}

// userMounts are the operator's paths and the script, sorted.
func (p *Plan) userMounts() []specs.Mount {
	all := p.paths()
	if script := p.Command.Script; script != "" {
		if _, named := all[script]; !named {
			all[script] = access{}
		}
	}
	var mounts []specs.Mount
	for _, name := range slices.Sorted(maps.Keys(all)) {
		mounts = append(mounts, bindMount(name, name, all[name].flags()))
	}
	return mounts
}

func bindMount(source, target string, flags uint16) specs.Mount {
	options := []string{"rbind", "nosuid", "nodev"}
	if flags&namespaces.FlagReadOnly != 0 {
		options = append(options, "ro")
	}
	if flags&namespaces.FlagNoExec != 0 {
		options = append(options, "noexec")
	}
	return specs.Mount{Destination: target, Type: "bind", Source: source, Options: options}
}

// maskedPaths are the entries of /proc and /sys that tell of the host. The stage
// hides more: it names what stays visible.
func maskedPaths() []string {
	return []string{
		"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys",
		"/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/sysrq-trigger",
		"/proc/timer_list", "/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware",
	}
}
