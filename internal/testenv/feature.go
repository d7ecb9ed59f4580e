package testenv

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Feature is something a test may need of the machine it runs on.
type Feature string

// The features. Each names what its probe has found to work, not a version.
const (
	Root           Feature = "root"            // the tests run as uid 0 with CAP_SETUID and CAP_SYS_ADMIN
	UserNS         Feature = "userns"          // user, mount, PID, network, IPC and UTS namespaces at once
	NetNSAdmin     Feature = "netns-admin"     // ip(8) makes a veth pair in a network namespace of its own
	Landlock       Feature = "landlock"        // any Landlock ABI
	LandlockNet    Feature = "landlock-net"    // Landlock ABI 4: TCP connect and bind
	LandlockScopes Feature = "landlock-scopes" // Landlock ABI 6: signals and abstract sockets
	Notify         Feature = "notify"          // seccomp user notification
	MemfdNoexec    Feature = "memfd-noexec"    // memory files that cannot be executed (Linux 6.3)
	Fchmodat2      Feature = "fchmodat2"       // fchmodat2(2) (Linux 6.6)
	CgroupMemory   Feature = "cgroup-memory"   // a memory group can be made
	CgroupPids     Feature = "cgroup-pids"     // a pids group can be made
	PyenvPython    Feature = "pyenv-python"    // at least one CPython below ~/.pyenv/versions
	DebianPython   Feature = "debian-python"   // /usr/bin/python3
	PythonTests    Feature = "python-tests"    // a CPython of every user's with its package test
	Numpy          Feature = "numpy"           // numpy of /usr/bin/python3
	Bubblewrap     Feature = "bubblewrap"      // bwrap(1)
	Compiler       Feature = "compiler"        // cc(1) with libc headers
	Runc           Feature = "runc"            // runc(8), an OCI runtime
	Docker         Feature = "docker"          // dockerd(8) starts, and docker(1) is there
	Strace         Feature = "strace"          // strace(1)
	Setpriv        Feature = "setpriv"         // setpriv(1)
	Redis          Feature = "redis"           // redis-server(1), and its client for /usr/bin/python3
	Postgres       Feature = "postgres"        // a PostgreSQL server and psycopg2 of /usr/bin/python3
	Nginx          Feature = "nginx"           // nginx(8)
	Requests       Feature = "requests"        // requests of /usr/bin/python3
	Gunicorn       Feature = "gunicorn"        // gunicorn of /usr/bin/python3, and wrk(1)
	Aiohttp        Feature = "aiohttp"         // aiohttp of /usr/bin/python3
	Uvloop         Feature = "uvloop"          // uvloop of /usr/bin/python3
	Gevent         Feature = "gevent"          // gevent of /usr/bin/python3
)

// Features lists every feature, in the order in which they are declared.
func Features() []Feature {
	return []Feature{
		Root, UserNS, NetNSAdmin, Landlock, LandlockNet, LandlockScopes, Notify, MemfdNoexec, Fchmodat2,
		CgroupMemory, CgroupPids, PyenvPython, DebianPython, PythonTests, Numpy, Bubblewrap,
		Compiler, Runc, Docker, Strace, Setpriv, Redis, Postgres, Nginx, Requests, Gunicorn, Aiohttp,
		Uvloop, Gevent,
	}
}

// probes maps each feature to the function that looks for it. A probe returns
// nil when the feature is present and otherwise why it is not.
func probes() map[Feature]func() error {
	return map[Feature]func() error{
		Root:           probeRoot,
		UserNS:         probeUserNS,
		NetNSAdmin:     probeNetNSAdmin,
		Landlock:       func() error { return probeLandlock(1) },
		LandlockNet:    func() error { return probeLandlock(4) },
		LandlockScopes: func() error { return probeLandlock(6) },
		Notify:         probeNotify,
		MemfdNoexec:    probeMemfdNoexec,
		Fchmodat2:      probeFchmodat2,
		CgroupMemory:   func() error { return probeCgroup("memory") },
		CgroupPids:     func() error { return probeCgroup("pids") },
		PyenvPython:    probePyenv,
		DebianPython:   func() error { return probeProgram("/usr/bin/python3") },
		PythonTests:    probePythonTests,
		Numpy:          func() error { return probeModule("numpy") },
		Bubblewrap:     func() error { return probeProgram("bwrap") },
		Compiler:       probeCompiler,
		Runc:           func() error { return probeProgram("runc") },
		Docker:         probeDocker,
		Strace:         func() error { return probeProgram("strace") },
		Setpriv:        func() error { return probeProgram("setpriv") },
		Redis:          func() error { return errors.Join(probeProgram("redis-server"), probeModule("redis")) },
		Postgres:       func() error { return errors.Join(probePostgres(), probeModule("psycopg2")) },
		Nginx:          func() error { return probeProgram("nginx") },
		Requests:       func() error { return probeModule("requests") },
		Gunicorn:       func() error { return errors.Join(probeProgram("wrk"), probeModule("gunicorn")) },
		Aiohttp:        func() error { return probeModule("aiohttp") },
		Uvloop:         func() error { return probeModule("uvloop") },
		Gevent:         func() error { return probeModule("gevent") },
	}
}

func unknownFeatureError(feature Feature) error {
	return fmt.Errorf("unknown feature %q, known are %v and the word all", feature, Features())
}

func probeRoot() error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("the tests run as uid %d; run them as root", os.Geteuid())
	}
	return nil
}

// allNamespaces are the namespaces that a sandbox of the full tier has, but for
// the cgroup namespace, which needs nothing beyond these.
const allNamespaces = syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID |
	syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS

func probeUserNS() error {
	program, err := exec.LookPath("true")
	if err != nil {
		return err
	}
	cmd := exec.Command(program)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  allNamespaces,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("start a process in new namespaces: %w", err)
	}
	return nil
}

func probeNetNSAdmin() error {
	return probeRun("unshare", "--user", "--map-root-user", "--net",
		"ip", "link", "add", "probe0", "type", "veth", "peer", "name", "probe1")
}

// LandlockABI asks for the kernel's Landlock ABI as landlock_create_ruleset(2)
// describes.
func LandlockABI() (int, error) {
	abi, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return 0, fmt.Errorf("ask for the Landlock ABI: %w", errno)
	}
	return int(abi), nil
}

func probeLandlock(minimum int) error {
	abi, err := LandlockABI()
	if err != nil {
		return err
	}
	if abi < minimum {
		return fmt.Errorf("kernel has Landlock ABI %d, at least %d is needed", abi, minimum)
	}
	return nil
}

// probeNotify reads the actions that the kernel offers (seccomp(2), /proc
// interfaces).
func probeNotify() error {
	const file = "/proc/sys/kernel/seccomp/actions_avail"
	actions, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if !strings.Contains(string(actions), "user_notif") {
		return fmt.Errorf("%s does not list user_notif", file)
	}
	return nil
}

func probeMemfdNoexec() error {
	fd, err := unix.MemfdCreate("probe", unix.MFD_CLOEXEC|unix.MFD_NOEXEC_SEAL)
	if err != nil {
		return fmt.Errorf("memfd_create with MFD_NOEXEC_SEAL: %w", err)
	}
	return unix.Close(fd)
}

// probeFchmodat2 calls it without a path, which fails with another error where it is.
func probeFchmodat2() error {
	if _, _, errno := unix.Syscall6(unix.SYS_FCHMODAT2, 0, 0, 0, 0, 0, 0); errno == unix.ENOSYS {
		return fmt.Errorf("fchmodat2: %w", errno)
	}
	return nil
}

func probePyenv() error {
	if len(pyenvExecutables()) == 0 {
		return fmt.Errorf("no interpreter matches ~/.pyenv/versions/*/bin/python3")
	}
	return nil
}

func probeCompiler() error {
	cmd := exec.Command("cc", "-x", "c", "-fsyntax-only", "-")
	cmd.Stdin = strings.NewReader("#include <stdio.h>\nint main(void) { return 0; }\n")
	return runQuietly(cmd)
}

func probePostgres() error {
	_, err := PostgresDir()
	return err
}

// probeModule looks for a module of the system's Python.
func probeModule(name string) error {
	return probeRun("/usr/bin/python3", "-I", "-c", "import "+name)
}

func probeProgram(name string) error {
	_, err := exec.LookPath(name)
	return err
}

func probeRun(name string, args ...string) error {
	return runQuietly(exec.Command(name, args...))
}

// runQuietly runs cmd and puts what it wrote into the error.
func runQuietly(cmd *exec.Cmd) error {
	output, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("run %s: %w: %s", cmd.Path, err, strings.TrimSpace(string(output)))
	}
	return nil
}
