package policy

import (
	"math"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/netrule"
)

// setting is one key of a policy. The table of settings is what files and flags
// are read by, and what the JSON Schema and the reference are written from.
type setting struct {
	key  string // "network.allow"
	form form
	flag string // the flag of exec that sets it, or empty
	doc  string // sentences for the reference and the schema
}

// settings lists every key in the order of the reference, but version, extends
// and replace, which steer the reading itself.
func settings() []setting {
	var all []setting
	for _, group := range [][]setting{
		topSettings(), pythonSettings(), fileSettings(), networkSettings(), processSettings(),
		environmentSettings(), limitSettings(), syscallSettings(), capabilitySettings(),
	} {
		all = append(all, group...)
	}
	return all
}

func topSettings() []setting {
	return []setting{{
		"require",
		scalar[string]{func(p *Policy) *string { return &p.Require }, choiceSyntax("full", "container", "minimal")},
		"--require",
		"The tier of isolation below which a run does not start.",
	}}
}

func pythonSettings() []setting {
	return []setting{
		{
			"python.interpreter",
			scalar[string]{func(p *Policy) *string { return &p.Python.Interpreter }, interpreterSyntax()},
			"--python",
			`The interpreter: a name to look for in PATH ("python3"), a version ("3.12"), a path, or the directory of a venv. It is a CPython from 3.8 on.`,
		},
		{
			"python.modules.allow",
			list[string]{func(p *Policy) *[]string { return &p.Python.ModulesAllow }, moduleSyntax()},
			"",
			"The only modules that the program may import, those of the standard library and built into the interpreter included; empty means all. \"xml\" is that module and all below it, \"xml.*\" what is below it; the packages above a module come with it. What modules of the interpreter and its packages import themselves comes with them, and is not for the program. Those that files.read or files.write show are the program's own: name them, and what they import. It gives early and friendly errors and is not a boundary. Rules on modules are for Python given as a script, code, a module or standard input; -- COMMAND is refused.",
		},
		{
			"python.modules.deny",
			list[string]{func(p *Policy) *[]string { return &p.Python.ModulesDeny }, moduleSyntax()},
			"",
			"Modules that may not be imported, named as in python.modules.allow, which it beats; \"xml.*\" leaves xml itself. A package that imports its own denied modules when it is imported, as multiprocessing does, cannot be imported then. It is not a boundary either.",
		},
	}
}

func fileSettings() []setting {
	return []setting{
		{
			"files.read",
			list[string]{func(p *Policy) *[]string { return &p.Files.Read }, pathSyntax(unix.R_OK)},
			"--allow-read",
			"Files and directories that the program may read, at the same paths inside. Below a place that it may write, such as /tmp or a directory of files.write, only the mount is read-only: a named pipe there can be written, so keep what holds one elsewhere. The directories between such a path and a directory of files.write are mounts of their own: a rename from one into another fails with EXDEV.",
		},
		{
			"files.write",
			list[string]{func(p *Policy) *[]string { return &p.Files.Write }, pathSyntax(unix.R_OK | unix.W_OK)},
			"--allow-write",
			"Files and directories that the program may read and write. Nothing in them may be executed.",
		},
		{
			"files.exec",
			list[string]{func(p *Policy) *[]string { return &p.Files.Exec }, pathSyntax(unix.R_OK)},
			"",
			"Directories from which programs and libraries may be executed; readable too.",
		},
		{
			"files.tmp_exec",
			scalar[bool]{func(p *Policy) *bool { return &p.Files.TmpExec }, booleanSyntax()},
			"",
			"Whether files in the private /tmp may be executed, as compilers and some JITs need.",
		},
		{
			"files.shm_size",
			scalar[Size]{func(p *Policy) *Size { return &p.Files.ShmSize }, sizeSyntax(false)},
			"",
			"The size of the private /dev/shm, which multiprocessing uses.",
		},
		{
			"files.allow_root_owned",
			scalar[bool]{func(p *Policy) *bool { return &p.Files.AllowRootOwned }, booleanSyntax()},
			"",
			"Whether, when run as root, a directory of root's may be in files.write.",
		},
	}
}

func networkSettings() []setting {
	return []setting{
		{
			"network.allow",
			list[netrule.Rule]{func(p *Policy) *[]netrule.Rule { return &p.Network.Rules.Allow }, ruleSyntax()},
			"--allow-net",
			"Where connections and datagrams may go. What no rule allows is denied.",
		},
		{
			"network.deny",
			list[netrule.Rule]{func(p *Policy) *[]netrule.Rule { return &p.Network.Rules.Deny }, ruleSyntax()},
			"--deny-net",
			"Where they may not go, whatever network.allow says.",
		},
		{
			"network.host_loopback",
			list[Port]{func(p *Policy) *[]Port { return &p.Network.HostLoopback }, portSyntax()},
			"--host-loopback",
			"Ports of the host's 127.0.0.1 that appear on the program's own. Nothing else reaches the host's addresses.",
		},
		{
			"network.listen",
			list[Listen]{func(p *Policy) *[]Listen { return &p.Network.Listen }, listenSyntax()},
			"--listen",
			"Ports of the program that are published on the host, on 127.0.0.1 unless an address is written: 8000, \"9001:8000\" (port 8000 inside) or \"tcp:0.0.0.0:80:8000\".",
		},
		{
			"network.unix",
			list[string]{func(p *Policy) *[]string { return &p.Network.Unix }, laterPathSyntax()},
			"",
			"Unix sockets of the host that the program may connect to. One that is not there yet is warned of; what is there and is no socket is an error.",
		},
		{
			"network.direct",
			scalar[bool]{func(p *Policy) *bool { return &p.Network.Direct }, booleanSyntax()},
			"",
			"Whether a listener that a service manager passes (LISTEN_FDS) goes to the program itself. Then connections are as fast as outside, and none is recorded; and the program can end the listener for its owner.",
		},
		{
			"network.errno",
			scalar[string]{func(p *Policy) *string { return &p.Network.Errno }, errnoSyntax()},
			"",
			"The error that a denied connection gives.",
		},
		{
			"network.dns.names",
			scalar[int]{func(p *Policy) *int { return &p.Network.DNSNames }, countSyntax(math.MaxInt32, false)},
			"",
			`How many different names a run may look up where a rule opens every name ("*" or "any").`,
		},
		{
			"network.dns.bytes",
			scalar[Size]{func(p *Policy) *Size { return &p.Network.DNSBytes }, sizeSyntax(false)},
			"",
			"How many bytes those names may have together, so that lookups carry little out.",
		},
	}
}

func processSettings() []setting {
	return []setting{
		{
			"process.spawn",
			spawn{},
			"--allow-spawn",
			"Whether other programs may be started: false, true for the system's directories of programs, or a list of programs and directories.",
		},
		{
			"process.threads",
			scalar[bool]{func(p *Policy) *bool { return &p.Process.Threads }, booleanSyntax()},
			"",
			"Whether threads may be started. Forking without starting another program comes with limits.pids above 1.",
		},
		{
			"process.cwd",
			scalar[string]{func(p *Policy) *string { return &p.Process.Directory }, laterPathSyntax()},
			"--cwd",
			"The directory in which the program starts; without it the caller's if that is visible inside, else its home.",
		},
	}
}

func environmentSettings() []setting {
	return []setting{
		{
			"env.pass",
			list[string]{func(p *Policy) *[]string { return &p.Env.Pass }, variableSyntax()},
			"--allow-env",
			"Environment variables that pass from the caller, where they are set.",
		},
		{
			"env.set",
			table{func(p *Policy) *map[string]string { return &p.Env.Set }, variableSyntax(), freeTextSyntax()},
			"--env",
			"Environment variables with fixed values; beats env.pass. A program starts with PYTHONDONTWRITEBYTECODE=1, so that it leaves no compiled files where it may write; an empty text lifts that.",
		},
	}
}

func limitSettings() []setting {
	size := func(key, flag string, field func(*Policy) *Size, doc string) setting {
		return setting{"limits." + key, scalar[Size]{field, sizeSyntax(true)}, flag, doc}
	}
	count := func(key, flag string, field func(*Policy) *int, highest int64, doc string) setting {
		return setting{"limits." + key, scalar[int]{field, countSyntax(highest, true)}, flag, doc}
	}
	duration := func(key, flag string, field func(*Policy) *time.Duration, doc string) setting {
		return setting{"limits." + key, scalar[time.Duration]{field, durationSyntax()}, flag, doc}
	}
	const maxPids = 1 << 22      // PID_MAX_LIMIT on 64 bits, proc(5)
	const maxOpenFiles = 1 << 20 // fs.nr_open's default, proc(5)
	const maxInodes = math.MaxInt32
	return []setting{
		duration("wall", "--timeout", func(p *Policy) *time.Duration { return &p.Limits.Wall }, "Time from start to end; the run ends with status 124."),
		duration("cpu", "--cpu", func(p *Policy) *time.Duration { return &p.Limits.CPU }, "CPU time of all processes together; the run ends with status 137."),
		size("memory", "--memory", func(p *Policy) *Size { return &p.Limits.Memory }, "Memory of all processes together, private tmpfs included; the run ends with status 137. Without a control group it bounds the private memory of each process alone, and not shared mappings and memory files: see limits.best_effort. A thread counts with all of its stack then, 8 MiB unless threading.stack_size or ulimit -s says otherwise."),
		count("pids", "--pids", func(p *Policy) *int { return &p.Limits.Pids }, maxPids, "Processes and threads at one time; a start beyond it fails with EAGAIN."),
		count("open_files", "--open-files", func(p *Policy) *int { return &p.Limits.OpenFiles }, maxOpenFiles, "Open descriptors of each process; an open beyond it fails with EMFILE."),
		size("file_size", "--file-size", func(p *Policy) *Size { return &p.Limits.FileSize }, "Size of each file that is written; a write beyond it fails with EFBIG."),
		size("tmp_size", "--tmp-size", func(p *Policy) *Size { return &p.Limits.TmpSize }, "Size of the private /tmp and home; a write beyond it fails with ENOSPC."),
		size("output", "--output", func(p *Policy) *Size { return &p.Limits.Output }, "Bytes on standard output and error together; the run ends with status 137."),
		{
			"limits.cpu_quota",
			scalar[float64]{func(p *Policy) *float64 { return &p.Limits.CPUQuota }, coresSyntax()},
			"",
			"Processors that the run may use at one time, such as 1.5; 0 means no quota.",
		},
		count("connections", "", func(p *Policy) *int { return &p.Limits.Connections }, maxOpenFiles, "Connections to outside at one time; one more is refused. Their buffers in the kernel are no part of limits.memory: they hold up to half as much again, and 2 MiB for each connection."),
		count("inodes", "", func(p *Policy) *int { return &p.Limits.Inodes }, maxInodes, "Files and directories in each private tmpfs; one more fails with ENOSPC."),
		{
			"limits.best_effort",
			list[string]{func(p *Policy) *[]string { return &p.Limits.BestEffort }, choiceSyntax(Degradable()...)},
			"",
			"Limits of the whole tree that may be missing on a host, where the limits of each process then stand in for them. Any other limit that is missing keeps the run from starting. The presets name all four; a limit that you set yourself and that this host holds less well is warned of by exec and check, unless a file of yours names it here.",
		},
	}
}

func syscallSettings() []setting {
	return []setting{
		{
			"syscalls.allow",
			list[string]{func(p *Policy) *[]string { return &p.Syscalls.Allow }, callOrLayerSyntax()},
			"",
			"System calls, or layers of them, that are allowed beyond those that the rest of the policy needs.",
		},
		{
			"syscalls.errno",
			table{func(p *Policy) *map[string]string { return &p.Syscalls.Errno }, syscallSyntax(), errnoSyntax()},
			"",
			"Errors that refused system calls give instead of EPERM. This refuses nothing: a call that the filter lets through, or the arguments with which it does, stay allowed.",
		},
	}
}

func capabilitySettings() []setting {
	return []setting{{
		"capabilities.grant",
		list[string]{func(p *Policy) *[]string { return &p.Capabilities }, capabilitySyntax()},
		"",
		"The only capabilities that the program may have from the host's client, by the names under which that offers them; empty means all that it offers.",
	}}
}
