package namespaces

import "strings"

// Skeleton is the part of the tree that no plan changes: devices, /proc, the
// files of /etc that describe the sandbox itself. The stage has it embedded
// (cpython-shim/skeleton.h) and runs it while the supervisor still compiles
// the plan, so every resolved program begins with exactly these operations.
func Skeleton() Program {
	p := Program{
		// No Landlock rule names this file: OpProbe finds out by it whether
		// Landlock is in force.
		{Code: OpFile, S1: ProbePath, N1: 0o444},
	}
	p = append(p, skeletonEtc()...)
	p = append(p, skeletonDev()...)
	p = append(p, Op{Code: OpProc, S1: "/proc", Data: []byte(strings.Join(visibleProc(), "\x00") + "\x00")})
	for _, name := range []string{"online", "possible"} {
		path := "/sys/devices/system/cpu/" + name
		p = append(p, Op{Code: OpBind, S1: path, S2: path, Flags: FlagReadOnly | FlagNoExec})
	}
	return p
}

// ProbePath is a file inside that ordinary permissions let everyone read and
// that Landlock must refuse.
const ProbePath = "/.landlock"

// visibleProc lists what stays visible in /proc beside the sandbox's own
// processes (proc(5)). Python reads cpuinfo and meminfo for os and for numeric
// libraries, and its allocator reads overcommit_memory.
func visibleProc() []string {
	return []string{
		"cpuinfo", "meminfo", "stat", "loadavg", "uptime", "version", "filesystems",
		"sys/vm/overcommit_memory",
	}
}

func skeletonEtc() Program {
	files := []struct{ path, content string }{
		// Programs take it for granted that root has a name.
		{"/etc/passwd", "root:x:0:0:root:/root:/usr/sbin/nologin\n" +
			"sandbox:x:1000:1000:sandbox:/home/sandbox:/bin/sh\n" +
			"nobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n"},
		{"/etc/group", "root:x:0:\nsandbox:x:1000:\nnogroup:x:65534:\n"},
		{"/etc/hostname", "sandbox\n"},
		{"/etc/hosts", "127.0.0.1 localhost sandbox\n::1 localhost ip6-localhost\n"},
		{"/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:2 attempts:2\n"},
		{"/etc/nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\n" +
			"hosts: files dns\nservices: files\nprotocols: files\n"},
		{"/etc/host.conf", "multi on\n"},
	}
	var p Program
	for _, f := range files {
		p = append(p, Op{Code: OpFile, S1: f.path, Data: []byte(f.content), N1: 0o444})
	}
	return p
}

func skeletonDev() Program {
	var p Program
	for _, name := range []string{"null", "zero", "full", "random", "urandom", "tty"} {
		path := "/dev/" + name
		p = append(p, Op{Code: OpBind, S1: path, S2: path, Flags: FlagDev | FlagNoExec})
	}
	links := []struct{ path, text string }{
		{"/dev/fd", "/proc/self/fd"},
		{"/dev/stdin", "/proc/self/fd/0"},
		{"/dev/stdout", "/proc/self/fd/1"},
		{"/dev/stderr", "/proc/self/fd/2"},
		{"/dev/ptmx", "pts/ptmx"},
	}
	for _, l := range links {
		p = append(p, Op{Code: OpSymlink, S1: l.path, S2: l.text})
	}
	return append(p, Op{Code: OpDevpts, S1: "/dev/pts"})
}
