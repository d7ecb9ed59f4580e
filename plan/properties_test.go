package plan_test

import (
	"encoding/json"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/internal/host"
	"github.com/pysandbox/pysandbox/namespaces"
	"github.com/pysandbox/pysandbox/plan"
	"github.com/pysandbox/pysandbox/policy"
	"github.com/pysandbox/pysandbox/seccomp"
)

// everyPreset runs a test on each shipped policy with a filter for the kernel.
func everyPreset(t *testing.T, test func(t *testing.T, r *plan.Resolved)) {
	t.Helper()
	for _, name := range presets() {
		t.Run(name, func(t *testing.T) {
			test(t, resolve(t, compile(t, preset(t, name), script()), realHost()))
		})
	}
}

// TestUnknownCallsAreMissing asks the compiled filter about numbers that no table
// has: those of later kernels.
func TestUnknownCallsAreMissing(t *testing.T) {
	const enosys = 38
	everyPreset(t, func(t *testing.T, r *plan.Resolved) {
		last := slices.Max(seccomp.Numbers())
		for _, number := range []int32{last + 1, last + 100, 1000, 100_000} {
			got, err := r.Filter.Evaluate(seccomp.Data{Number: number, Arch: seccomp.ArchX86_64})
			if err != nil || got != (seccomp.Ruling{Action: seccomp.ActErrno, Errno: enosys}) {
				t.Errorf("call %d: %v, %v", number, got, err)
			}
		}
	})
}

// The supervisor kills for a call that it is told of here (broker.ForeignCall).
func TestForeignCallsAreNotMade(t *testing.T) {
	everyPreset(t, func(t *testing.T, r *plan.Resolved) {
		for name, data := range map[string]seccomp.Data{
			"i386":       {Number: 4, Arch: seccomp.ArchI386},
			"x32":        {Number: 1 | seccomp.X32Bit, Arch: seccomp.ArchX86_64},
			"an unknown": {Number: 1, Arch: 7},
		} {
			if got, err := r.Filter.Evaluate(data); err != nil || got.Action != seccomp.ActNotify {
				t.Errorf("%s: %v, %v", name, got, err)
			}
		}
	})
}

// TestNeverCallsStayRefused names calls that no shipped policy may let through,
// whatever their arguments; each is tried with all bits clear and all set.
func TestNeverCallsStayRefused(t *testing.T) {
	calls := []string{
		"clone3", "openat2", "io_uring_setup", "userfaultfd", "bpf", "perf_event_open", "keyctl", "add_key", "ptrace",
		"process_vm_readv", "process_vm_writev", "pidfd_getfd", "setns", "unshare", "mount", "umount2", "pivot_root",
		"chroot", "open_tree", "move_mount", "fsopen", "fsmount", "mount_setattr", "open_by_handle_at", "init_module",
		"kexec_load", "reboot", "seccomp", "personality", "modify_ldt", "syslog",
	}
	everyPreset(t, func(t *testing.T, r *plan.Resolved) {
		for _, call := range calls {
			number, known := seccomp.Number(call)
			if !known {
				t.Errorf("%s is not known", call)
				continue
			}
			for _, bits := range []uint64{0, ^uint64(0)} {
				data := seccomp.Data{Number: number, Arch: seccomp.ArchX86_64, Args: [6]uint64{bits, bits, bits, bits, bits, bits}}
				if got, err := r.Filter.Evaluate(data); err != nil || got.Action == seccomp.ActAllow {
					t.Errorf("%s with arguments %#x: %v, %v", call, bits, got, err)
				}
			}
		}
	})
}

// TestNothingIsWritableAndExecutable holds for every bind and tmpfs, and for what
// Landlock grants.
func TestNothingIsWritableAndExecutable(t *testing.T) {
	everyPreset(t, func(t *testing.T, r *plan.Resolved) {
		for _, op := range r.Setup {
			if isMount(op) && op.Flags&(namespaces.FlagReadOnly|namespaces.FlagNoExec) == 0 {
				t.Errorf("%v", op)
			}
			rights := namespaces.LandlockRights(op.N1)
			if op.Code == namespaces.OpLandlockPath && rights&namespaces.RightExecute != 0 && rights&namespaces.RightWriteFile != 0 {
				t.Errorf("%v", op)
			}
		}
	})
}

func isMount(op namespaces.Op) bool {
	return op.Code == namespaces.OpBind || op.Code == namespaces.OpTmpfs
}

func TestWritableAndExecutableOnlyWhenSaid(t *testing.T) {
	count := func(change func(*policy.Policy)) int {
		t.Helper()
		r, err := resolveWith(t, change, script(), fixedHost())
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, op := range r.Setup {
			if isMount(op) && op.Flags&(namespaces.FlagReadOnly|namespaces.FlagNoExec) == 0 {
				n++
			}
		}
		return n
	}
	for name, test := range map[string]struct {
		change func(*policy.Policy)
		want   int
	}{
		"write beside exec": {func(p *policy.Policy) { p.Files.Write, p.Files.Exec = []string{"/srv/out"}, []string{"/opt/tool"} }, 0},
		"write and exec":    {func(p *policy.Policy) { p.Files.Write, p.Files.Exec = []string{"/srv/out"}, []string{"/srv/out"} }, 1},
		"tmp_exec":          {func(p *policy.Policy) { p.Files.TmpExec = true }, 1},
	} {
		if got := count(test.change); got != test.want {
			t.Errorf("%s: %d mounts are writable and executable, want %d", name, got, test.want)
		}
	}
}

// TestOnlyTheClosureIsVisible compares the host paths that are bound with what
// the interpreter needs and the script.
func TestOnlyTheClosureIsVisible(t *testing.T) {
	everyPreset(t, func(t *testing.T, r *plan.Resolved) {
		expected := []string{"/srv/job/job.py"}
		for _, b := range r.Interpreter.Binds {
			expected = append(expected, b.Path)
		}
		if r.Plan.Process.SpawnAny {
			expected = append(expected, "/usr/bin/git")
		}
		var got []string
		for _, op := range r.Setup {
			if op.Code == namespaces.OpBind {
				got = append(got, op.S1)
			}
		}
		slices.Sort(expected)
		slices.Sort(got)
		if !slices.Equal(got, expected) {
			t.Errorf("bound are\n%q, needed\n%q", got, expected)
		}
	})
}

// TestNoSecretOfTheCallerIsPassed looks for values of the caller's environment
// that the policy does not name.
func TestNoSecretOfTheCallerIsPassed(t *testing.T) {
	everyPreset(t, func(t *testing.T, r *plan.Resolved) {
		encoded, err := r.Setup.Encode()
		if err != nil {
			t.Fatal(err)
		}
		shown, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"hunter2", "/elsewhere", "SECRET", "PYTHONPATH"} {
			if strings.Contains(string(encoded), secret) {
				t.Errorf("%s reaches the sandbox", secret)
			}
			if strings.Contains(string(shown), secret) {
				t.Errorf("%s stands in the JSON form of the plan", secret)
			}
		}
	})
}

// TestTheProbeFileHasNoRule keeps the probe honest: a rule that names it would
// let it be read, and a start with Landlock would fail.
func TestTheProbeFileHasNoRule(t *testing.T) {
	everyPreset(t, func(t *testing.T, r *plan.Resolved) {
		for _, op := range r.Setup {
			if op.Code != namespaces.OpLandlockPath {
				continue
			}
			covers := op.S1 == "/" || op.S1 == namespaces.ProbePath
			if covers && namespaces.LandlockRights(op.N1)&namespaces.RightReadFile != 0 {
				t.Errorf("%v lets the probe file be read", op)
			}
		}
	})
}

// grantedAt is what Landlock grants at a path by the rules for it and for all that
// it lies in. That everything may be listed does not count.
func grantedAt(rules map[string]namespaces.LandlockRights, name string) namespaces.LandlockRights {
	var rights namespaces.LandlockRights
	for ; name != "/"; name = path.Dir(name) {
		rights |= rules[name]
	}
	return rights
}

// TestEveryMountHasALandlockRule finds a mount that the second layer forgets, or
// a rule that grants more than the mount shows.
func TestEveryMountHasALandlockRule(t *testing.T) {
	everyPreset(t, func(t *testing.T, r *plan.Resolved) {
		rules := make(map[string]namespaces.LandlockRights)
		for _, op := range r.Setup {
			if op.Code == namespaces.OpLandlockPath {
				rules[op.S1] = namespaces.LandlockRights(op.N1)
			}
		}
		for _, op := range r.Setup {
			if !isMount(op) {
				continue
			}
			target := op.S2
			if op.Code == namespaces.OpTmpfs {
				target = op.S1
			}
			rights := grantedAt(rules, target)
			if rights == 0 {
				t.Errorf("no rule for %v", op)
			}
			if op.Flags&namespaces.FlagReadOnly != 0 && rights&namespaces.RightWriteFile != 0 {
				t.Errorf("Landlock lets %s be written, the mount does not", target)
			}
			if op.Flags&namespaces.FlagNoExec != 0 && rights&namespaces.RightExecute != 0 {
				t.Errorf("Landlock lets %s be executed, the mount does not", target)
			}
		}
	})
}

// TestADirectoryOfLibrariesIsOneMountAndOneRule covers a directory of which a closure
// needs some libraries: all may be read and mapped, and none be executed but the loader.
func TestADirectoryOfLibrariesIsOneMountAndOneRule(t *testing.T) {
	h := fixedHost()
	h.Interpreter.Binds = append(h.Interpreter.Binds, host.Bind{
		Path: "/usr/lib/many", Exec: true, Public: true, Only: []string{"ld-linux.so.2", "liba.so", "libb.so"},
	})
	r, err := resolveWith(t, nil, script(), h)
	if err != nil {
		t.Fatal(err)
	}
	if got := lines(r, "bind /usr/lib/many"); !slices.Equal(got, []string{"bind /usr/lib/many ro"}) {
		t.Errorf("bound are %q", got)
	}
	want := []string{
		"landlock-path /usr/lib/many read_file,read_dir",
		"landlock-path /usr/lib/many/ld-linux.so.2 execute,read_file,read_dir",
	}
	if rules := lines(r, "landlock-path /usr/lib/many"); !slices.Equal(rules, want) {
		t.Errorf("rules are %q, want %q", rules, want)
	}
}
