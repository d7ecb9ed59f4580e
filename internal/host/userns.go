package host

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// ClassifyUserNSFailure says why new namespaces were refused, from the errno of
// clone(2), of a mount in them or of writing their id maps, and from the
// settings that are known to cause it. program is the path of the running
// binary, which the AppArmor profile names.
func ClassifyUserNSFailure(errno unix.Errno, program string) *UnsupportedError {
	return classifyUserNS(hostSettings(), errno, program)
}

func classifyUserNS(s settings, errno unix.Errno, program string) *UnsupportedError {
	e := &UnsupportedError{Feature: FeatureUserNS, Err: errno}
	switch errno {
	case unix.EPERM, unix.EACCES:
		e.Need, e.Fix = refusedUserNS(s, program)
	case unix.ENOSPC, unix.EUSERS:
		e.Need, e.Fix = exhaustedUserNS(s)
	case unix.EAGAIN:
		e.Need, e.Fix = "the limit of processes of this user is reached", "raise it with ulimit -u, or in /etc/security/limits.conf"
	case unix.ENOSYS: // of clone3(2), in whose place Docker's profile wants clone(2)
		if e.Need, e.Fix = notBuiltUserNS(); filtered(s) {
			e.Need, e.Fix = filteredUserNS()
		}
	case unix.EINVAL:
		e.Need, e.Fix = notBuiltUserNS()
	case unix.EROFS:
		e.Need, e.Fix = "/proc is mounted read-only, so that no id can be mapped", unmaskProc
	default:
		e.Need = "the kernel refuses them"
	}
	return e
}

// refusedUserNS tells apart what answers EPERM or EACCES.
func refusedUserNS(s settings, program string) (need, fix string) {
	switch {
	case s.is("proc/sys/kernel/unprivileged_userns_clone", 0):
		return "kernel.unprivileged_userns_clone is 0", setSysctl("kernel.unprivileged_userns_clone", 1)
	case s.is("proc/sys/kernel/apparmor_restrict_unprivileged_userns", 1):
		return "AppArmor restricts them to programs that have a profile", appArmorFix(program)
	case s.is("proc/sys/user/max_user_namespaces", 0):
		return "user.max_user_namespaces is 0", setSysctl("user.max_user_namespaces", enoughNamespaces)
	}
	if filtered(s) {
		return filteredUserNS()
	}
	if enforce, _ := s.text("sys/fs/selinux/enforce"); enforce == "1" {
		return "a security module refuses them", "look for the denial with ausearch -m avc -ts recent, and allow user_namespace { create } for this domain"
	}
	return "the kernel or a security module refuses them; a process in a chroot, or whose ids are not mapped, gets none either", ""
}

// filtered is whether a seccomp filter is in force (proc_pid_status(5)).
func filtered(s settings) bool {
	status, _ := s.text("proc/self/status")
	return strings.Contains(status, "\nSeccomp:\t2")
}

func filteredUserNS() (need, fix string) {
	return "a seccomp filter above this process refuses them, as Docker's default profile does", allowInContainer
}

func notBuiltUserNS() (need, fix string) {
	return "the kernel was built without them", "boot a kernel with CONFIG_USER_NS, CONFIG_PID_NS and CONFIG_NET_NS"
}

// ProcFailure says why the kernel refused a new /proc: it shows no more than the
// one that is there (mount_namespaces(7)).
func ProcFailure(errno unix.Errno) *UnsupportedError {
	e := &UnsupportedError{Feature: FeatureProc, Err: errno, Need: "the kernel refuses to mount it"}
	if errno == unix.EPERM {
		e.Need = "parts of the host's /proc are hidden by other mounts, as in a container, so the kernel refuses a new one"
		e.Fix = unmaskProc
	}
	return e
}

// exhaustedUserNS finds the limit that answers ENOSPC.
func exhaustedUserNS(s settings) (need, fix string) {
	lowest, kind := fewNamespaces, ""
	for _, k := range []string{"user", "mnt", "pid", "net", "ipc", "uts", "cgroup"} {
		if limit, ok := s.number("proc/sys/user/max_" + k + "_namespaces"); ok && limit < lowest {
			lowest, kind = limit, k
		}
	}
	if kind != "" {
		name := "user.max_" + kind + "_namespaces"
		return fmt.Sprintf("%s is %d", name, lowest), setSysctl(name, enoughNamespaces)
	}
	return "too many namespaces exist, or they are nested more than 32 deep", setSysctl("user.max_user_namespaces", enoughNamespaces)
}

// Limits of namespaces: below the first the limit itself is the likely cause.
const (
	fewNamespaces    = 16
	enoughNamespaces = 15000
)

const (
	allowInContainer = "start the container with --security-opt seccomp=unconfined --security-opt apparmor=unconfined " +
		"--security-opt systempaths=unconfined"
	unmaskProc = "start the container with --security-opt systempaths=unconfined (Kubernetes: procMount: Unmasked with hostUsers: false)"
)

// setSysctl is the command that sets a sysctl now and at every boot.
func setSysctl(name string, value int) string {
	return fmt.Sprintf("echo %s=%d | sudo tee /etc/sysctl.d/60-pysandbox.conf && sudo sysctl -p /etc/sysctl.d/60-pysandbox.conf", name, value)
}

// appArmorFix is the command, on one line, that gives a program the right to make
// user namespaces on Ubuntu 23.10 and later and wherever else AppArmor restricts
// them (apparmor.d(5)).
func appArmorFix(program string) string {
	const file = "/etc/apparmor.d/pysandbox"
	lines := []string{
		"abi <abi/4.0>,",
		"include <tunables/global>",
		"profile pysandbox " + appArmorPath(program) + " flags=(unconfined) {",
		"  userns,",
		"  include if exists <local/pysandbox>",
		"}",
	}
	return echoed(lines...) + " | sudo tee " + file + " && sudo apparmor_parser -r " + file
}

// echoed is a shell command that prints lines.
func echoed(lines ...string) string {
	var command strings.Builder
	for _, line := range lines {
		command.WriteString("echo '" + strings.ReplaceAll(line, "'", `'"'"'`) + "'; ")
	}
	return "{ " + command.String() + "}"
}

// appArmorPath quotes a path for a profile, where some characters are patterns.
func appArmorPath(path string) string {
	var quoted strings.Builder
	quoted.WriteByte('"')
	for _, c := range []byte(path) {
		if strings.IndexByte(`*?[]{}^"\`, c) >= 0 {
			quoted.WriteByte('\\')
		}
		quoted.WriteByte(c)
	}
	quoted.WriteByte('"')
	return quoted.String()
}
