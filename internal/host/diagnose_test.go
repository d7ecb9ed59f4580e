package host

import (
	"encoding/json"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/errnos"
	"github.com/pysandbox/pysandbox/internal/testenv"
)

// diagnoseVariable makes TestDiagnosis print its checks, so that other tests can
// run it where something is missing.
const diagnoseVariable = "PYSANDBOX_TEST_DIAGNOSE"

func examination() Examination {
	return Examination{
		Caller: testCaller(), Program: "/usr/local/bin/pysandbox",
		LeaseFirst: 1879048192, LeaseCount: 65536,
		Limits: GroupLimits{Place: "cgroup v2", Memory: true, Reason: "pids and cpu are not delegated"},
	}
}

// TestDiagnosis agrees with the probes of the tests, which try the same things
// by other means.
func TestDiagnosis(t *testing.T) {
	if os.Getenv(diagnoseVariable) != "" {
		if os.Getenv(diagnoseVariable) == "listener" {
			installListener(t)
		}
		if err := json.NewEncoder(os.Stdout).Encode(Diagnose(examination())); err != nil {
			t.Fatal(err)
		}
		return
	}
	checks := Diagnose(examination())
	for name, feature := range map[string]testenv.Feature{
		"user namespaces": testenv.UserNS, "Landlock": testenv.Landlock, "Landlock for TCP": testenv.LandlockNet,
		"seccomp notification": testenv.Notify,
	} {
		check := find(t, checks, name)
		if missing := testenv.Missing(feature); check.OK != (missing == nil) {
			t.Errorf("%+v, while the tests' probe says %v", check, missing)
		}
	}
	for _, check := range checks {
		if check.OK == (check.Missing != "") || check.OK && check.Found == "" || check.Name == "" {
			t.Errorf("%+v says neither or both", check)
		}
	}
	if testenv.Missing(testenv.UserNS) == nil && testenv.Missing(testenv.Notify) == nil && AvailableTier(checks) != TierFull {
		t.Errorf("tier %q: %+v", AvailableTier(checks), checks)
	}
}

func find(t *testing.T, checks []Check, name string) Check {
	t.Helper()
	i := slices.IndexFunc(checks, func(c Check) bool { return c.Name == name })
	if i < 0 {
		t.Fatalf("there is no check %q", name)
	}
	return checks[i]
}

// diagnoseIn runs the diagnosis as a child of a command that takes something
// away.
func diagnoseIn(t *testing.T, mode string, command ...string) []Check {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command = append(command, self, "-test.run=^TestDiagnosis$")
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(os.Environ(), diagnoseVariable+"="+mode)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("run %v: %v\n%s%s", command, err, output, stderr.String())
	}
	var checks []Check
	if err := json.NewDecoder(strings.NewReader(string(output))).Decode(&checks); err != nil {
		t.Fatalf("read %s: %v", output, err)
	}
	return checks
}

// TestDiagnosisNamesWhatIsMissing takes one thing away at a time, for real.
func TestDiagnosisNamesWhatIsMissing(t *testing.T) {
	testenv.Need(t, testenv.UserNS, testenv.Notify)
	shell := func(script string) []string {
		return []string{"unshare", "--user", "--map-root-user", "--mount", "--pid", "--fork", "--mount-proc", "sh", "-ec", script + "; exec \"$@\"", "sh"}
	}
	for name, c := range map[string]struct {
		mode    string
		command []string
		check   string
		missing string
		fix     string
		tier    string
	}{
		"no user namespaces": {
			command: shell("echo 0 > /proc/sys/user/max_user_namespaces"),
			check:   "user namespaces", missing: "user.max_user_namespaces is 0", fix: "sysctl", tier: TierContainer,
		},
		"no network namespaces": {
			command: shell("echo 0 > /proc/sys/user/max_net_namespaces"),
			check:   "network namespaces", missing: "user.max_net_namespaces is 0", fix: "sysctl", tier: TierContainer,
		},
		"hidden parts of /proc": {
			command: shell("mount -t tmpfs none /proc/irq"),
			check:   "/proc of its own", missing: "hidden by other mounts", fix: "systempaths=unconfined", tier: TierContainer,
		},
		"read-only /proc": {
			command: shell("mount -o remount,bind,ro /proc"),
			check:   "user namespaces", missing: "read-only", fix: "systempaths=unconfined", tier: TierContainer,
		},
		"a listener above": {
			mode:  "listener",
			check: "seccomp notification", missing: "already has a listener", fix: "outside of the sandbox", tier: TierMinimal,
		},
		"nothing": {command: []string{"env"}, check: "user namespaces", tier: TierFull},
		"ids that no host has": {
			command: shell("true"),
			check:   "ids of root's sandboxes", missing: "not mapped", fix: "ordinary user", tier: TierContainer,
		},
		"some of root's capabilities": {
			command: shell("set -- setpriv --bounding-set=-sys_admin,-kill \"$@\""),
			check:   "root's capabilities", missing: "root without CAP_KILL, CAP_SYS_ADMIN,", fix: "docker run --user", tier: TierContainer,
		},
	} {
		t.Run(name, func(t *testing.T) {
			mode := c.mode
			if mode == "" {
				mode = "print"
			}
			checks := diagnoseIn(t, mode, c.command...)
			check := find(t, checks, c.check)
			if check.OK != (c.missing == "") || !strings.Contains(check.Missing, c.missing) || !strings.Contains(check.Fix, c.fix) {
				t.Errorf("%+v", check)
			}
			if got := AvailableTier(checks); got != c.tier {
				t.Errorf("tier %q, want %q: %+v", got, c.tier, checks)
			}
		})
	}
}

// installListener puts a filter with a listener above the attempts of this
// thread, on which the test goes on.
func installListener(t *testing.T) {
	t.Helper()
	runtime.LockOSThread()
	var m memory
	t.Cleanup(m.free)
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, m.permissive())
	if errno != 0 {
		t.Fatalf("install a listener: %v", errno)
	}
}

// TestAttemptReportsTheFirstErrno makes calls that fail in a known way.
func TestAttemptReportsTheFirstErrno(t *testing.T) {
	var m memory
	defer m.free()
	works := call{number: unix.SYS_GETPID}
	fails := call{unix.SYS_OPENAT, [6]uintptr{currentDirectory, m.text("/nonexistent"), unix.O_RDONLY}}
	later := call{unix.SYS_CHROOT, [6]uintptr{m.text("/dev/null")}}
	if err := attempt(0, works, works); err != nil {
		t.Errorf("calls that work: %v", err)
	}
	if err := attempt(0, works, fails, later); errnos.Of(err) != unix.ENOENT {
		t.Errorf("want ENOENT, got %v", err)
	}
	if err := attempt(0, works, later, fails); errnos.Of(err) != unix.ENOTDIR {
		t.Errorf("want ENOTDIR, got %v", err)
	}
	// A new thread without shared memory: the kernel refuses the clone itself.
	if err := attempt(unix.CLONE_THREAD, works); errnos.Of(err) != unix.EINVAL {
		t.Errorf("want EINVAL, got %v", err)
	}
}

func TestTiersNeedTheirChecks(t *testing.T) {
	for name, c := range map[string]struct {
		checks []Check
		want   string
	}{
		"all":          {[]Check{{OK: true, Tiers: []string{TierFull}}}, TierFull},
		"a limit":      {[]Check{{OK: false}}, TierFull},
		"not full":     {[]Check{{Tiers: []string{TierFull}}}, TierContainer},
		"only minimal": {[]Check{{Tiers: []string{TierFull, TierContainer}}}, TierMinimal},
		"none":         {[]Check{{Tiers: []string{TierMinimal}}, {Tiers: []string{TierFull, TierContainer}}}, ""},
	} {
		if got := AvailableTier(c.checks); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestLimitsNameTheFixForTheirHost(t *testing.T) {
	v1 := fstest.MapFS{"sys/fs/cgroup/memory/cgroup.procs": {}}
	v2 := fstest.MapFS{"sys/fs/cgroup/cgroup.controllers": {}}
	systemd := fstest.MapFS{"sys/fs/cgroup/cgroup.controllers": {}, "run/systemd/system/x": {}}
	lingering := fstest.MapFS{"sys/fs/cgroup/cgroup.controllers": {}, "run/systemd/system/x": {}, "run/user/1000/bus": {}}
	for name, c := range map[string]struct {
		files fstest.MapFS
		uid   int
		fix   string
	}{
		"none":               {fstest.MapFS{}, 1000, "mount -t cgroup2"},
		"a container":        {fstest.MapFS{".dockerenv": {}, "sys/fs/cgroup/memory/x": {}}, 1000, "docker run --memory"},
		"v1":                 {v1, 1000, "chown $USER $g/pysandbox"},
		"v1 as root":         {v1, 0, "writable"},
		"v2 without systemd": {v2, 1000, "cgroup.subtree_control"},
		"v2 without manager": {systemd, 1000, "loginctl enable-linger"},
		"v2 with manager":    {lingering, 1000, "Delegate=cpu memory pids"},
	} {
		d := diagnosis{Examination: examination(), settings: settings{c.files}}
		d.Caller.UID = c.uid
		if got := d.limit("pids limit", false); got.OK || !strings.Contains(got.Fix, c.fix) || got.Missing != d.Limits.Reason {
			t.Errorf("%s: %+v", name, got)
		}
		if got := d.limit("memory limit", true); !got.OK || got.Found != "cgroup v2" || got.Fix != "" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestLeaseRangeMustBeFree(t *testing.T) {
	for name, c := range map[string]struct {
		file, text string
		want       bool
	}{
		"free":             {"etc/subuid", "u:100000:65536\nv:1879113728:65536\nw:1878982656:65536\n", true},
		"the first id":     {"etc/subuid", "u:1879048191:2\n", false},
		"the last id":      {"etc/subgid", "u:1879113727:1\n", false},
		"all of it":        {"etc/subuid", "u:1000000000:4000000000\n", false},
		"damaged lines":    {"etc/subuid", "u:x:y\n::\n\nu:1\n", true},
		"a user":           {"etc/passwd", "root:x:0:0::/:/bin/sh\nu:x:1879050000:100::/:/bin/sh\n", false},
		"a group":          {"etc/group", "u:x:1879050000:\n", false},
		"an ordinary user": {"etc/passwd", "u:x:1000:1000::/:/bin/sh\n", true},
	} {
		d := diagnosis{Examination: examination(), settings: settings{fstest.MapFS{c.file: {Data: []byte(c.text)}}}}
		if got := d.lease(); got.OK != c.want || got.OK == (got.Fix != "") {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestYamaIsNamed(t *testing.T) {
	for value, want := range map[string]bool{"1": true, "3": false} {
		d := diagnosis{settings: settings{fstest.MapFS{"proc/sys/kernel/yama/ptrace_scope": {Data: []byte(value + "\n")}}}}
		if got := d.pidfd(); got.OK != want {
			t.Errorf("ptrace_scope %s: %+v", value, got)
		}
	}
}
