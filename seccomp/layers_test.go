package seccomp_test

import (
	"encoding/json"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/seccomp"
)

var update = flag.Bool("update", false, "write the golden files again")

func layers(tb testing.TB, names ...string) seccomp.FilterSpec {
	tb.Helper()
	spec, err := seccomp.Layers(names...)
	if err != nil {
		tb.Fatal(err)
	}
	return spec
}

func layerNames() []string {
	var names []string
	for _, l := range seccomp.LayerNames() {
		names = append(names, l.Name)
	}
	return names
}

// combinations calls visit with every set of layers.
func combinations(visit func(names []string)) {
	all := layerNames()
	for bits := range 1 << len(all) {
		var names []string
		for i, name := range all {
			if bits>>i&1 == 1 {
				names = append(names, name)
			}
		}
		visit(names)
	}
}

func TestEverySetOfLayersIsValid(t *testing.T) {
	combinations(func(names []string) {
		spec := layers(t, names...)
		if err := spec.Validate(); err != nil {
			t.Errorf("%v: %v", names, err)
		}
	})
}

func TestOrderAndRepetitionOfLayersHaveNoMeaning(t *testing.T) {
	once := layers(t, "base", "net", "ipc")
	other := layers(t, "ipc", "net", "base", "net", "ipc")
	if once.Digest() != other.Digest() {
		t.Error("the digests differ")
	}
}

func TestUnknownLayerNamesTheNearest(t *testing.T) {
	for name, want := range map[string]string{
		"thread":     `unknown syscall layer "thread"; did you mean "threads"?`,
		"file_write": `did you mean "files_write"?`,
		"kubernetes": "layers are base, threads, ipc, files_write, subprocess, net, server, datagrams, numpy, sysv, confine",
	} {
		_, err := seccomp.Layers("base", name)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
	_, err := seccomp.Layers("bass", "nett")
	if err == nil || strings.Count(err.Error(), "did you mean") != 2 {
		t.Errorf("two mistakes give %v", err)
	}
}

// TestTableOfAllLayers holds the published table: the change of one call must show.
func TestTableOfAllLayers(t *testing.T) {
	const golden = "testdata/all-layers.table"
	spec := layers(t, layerNames()...)
	table := spec.Table()
	if *update {
		if err := os.WriteFile(golden, []byte(table), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if table != string(want) {
		t.Errorf("%s differs; run the test with -update and read the diff", golden)
	}
}

// TestMeasuredCallsPass holds that each call that was seen in CPython has a use
// that its layer lets through, or a refusal that CPython falls back from.
func TestMeasuredCallsPass(t *testing.T) {
	content, err := os.ReadFile("testdata/cpython-calls.json")
	if err != nil {
		t.Fatal(err)
	}
	var measured struct{ Layers map[string][]string }
	if err := json.Unmarshal(content, &measured); err != nil {
		t.Fatal(err)
	}
	refused := []string{
		"clone3", // glibc falls back to clone
		"mbind",  // OpenBLAS goes on without
	}
	for name, calls := range measured.Layers {
		spec := layers(t, "base", name)
		for _, call := range calls {
			if !slices.Contains(refused, call) && !hasUse(&spec, call) {
				t.Errorf("%s: no use of %s passes", name, call)
			}
		}
	}
}

// hasUse reports whether a call passes for some arguments.
func hasUse(spec *seccomp.FilterSpec, call string) bool {
	return slices.ContainsFunc(spec.Rules, func(r seccomp.Rule) bool {
		return r.Syscall == call && (r.Action == seccomp.ActAllow || r.Action == seccomp.ActNotify)
	})
}

// TestLayersOnlyAdd holds that one more layer never refuses what passed before.
func TestLayersOnlyAdd(t *testing.T) {
	everything := layers(t, layerNames()...)
	for _, name := range layerNames() {
		spec := layers(t, name)
		for _, rule := range spec.Rules {
			if rule.Action != seccomp.ActAllow && rule.Action != seccomp.ActNotify {
				continue
			}
			if got := ruling(&everything, rule.Syscall, satisfy(rule)); got.Action != seccomp.ActAllow && got.Action != seccomp.ActNotify {
				t.Errorf("%s lets %s through (%s), with all layers it is %v", name, rule.Syscall, rule.Why, got)
			}
		}
	}
}

// satisfy returns arguments for which a rule of equalities holds.
func satisfy(rule seccomp.Rule) [6]uint64 {
	var args [6]uint64
	for _, c := range rule.Conditions {
		args[c.Arg] = c.Value
	}
	return args
}

func ruling(spec *seccomp.FilterSpec, call string, args [6]uint64) seccomp.Ruling {
	number, known := seccomp.Number(call)
	if !known {
		panic("unknown call " + call)
	}
	got, _ := spec.Ruling(seccomp.Data{Number: number, Arch: seccomp.ArchX86_64, Args: args})
	return got
}

// TestNeverAllowed holds, for every set of layers, that no rule lets through what
// no policy may have.
func TestNeverAllowed(t *testing.T) {
	never := strings.Fields(`io_uring_setup io_uring_enter io_uring_register userfaultfd bpf perf_event_open
		keyctl add_key request_key ptrace process_vm_readv process_vm_writev process_madvise pidfd_getfd
		unshare setns mount umount2 pivot_root chroot move_mount fsopen fsconfig fsmount fspick open_tree
		mount_setattr open_by_handle_at clone3 openat2 init_module kexec_load reboot syslog`)
	combinations(func(names []string) {
		spec := layers(t, names...)
		for _, call := range never {
			if hasUse(&spec, call) {
				t.Errorf("%v let %s through", names, call)
			}
		}
	})
	for _, call := range never {
		if _, err := seccomp.WithSyscalls(layers(t, "base"), []string{call}, nil); err == nil || !strings.Contains(err.Error(), "never available") {
			t.Errorf("allowing %s gives %v", call, err)
		}
	}
}

// allowed and the others shorten the table below.
var (
	allowed  = seccomp.Ruling{Action: seccomp.ActAllow}
	notified = seccomp.Ruling{Action: seccomp.ActNotify}
)

func reported(errno unix.Errno) seccomp.Ruling {
	return seccomp.Ruling{Action: seccomp.ActExplain, Errno: uint16(errno)}
}

func quiet(errno unix.Errno) seccomp.Ruling {
	return seccomp.Ruling{Action: seccomp.ActErrno, Errno: uint16(errno)}
}

// TestRulings states, use by use, what the filter with every layer of CPython's
// does. What the kernel reads as int is given with its upper half set as well.
func TestRulings(t *testing.T) {
	spec := layers(t, "base", "threads", "ipc", "files_write", "subprocess", "net", "server")
	for _, test := range rulings() {
		args := test.args
		if got := ruling(&spec, test.call, args); got != test.want {
			t.Errorf("%s(%#x) is %v, want %v: %s", test.call, args, got, test.want, test.about)
		}
		for _, arg := range test.ints {
			args[arg] |= 0xffffffff << 32
		}
		if got := ruling(&spec, test.call, args); got != test.want {
			t.Errorf("%s(%#x), upper halves set, is %v, want %v: %s", test.call, args, got, test.want, test.about)
		}
	}
}

func TestRulingsOutsideTheTable(t *testing.T) {
	spec, foreign := layers(t, "base"), reported(unix.ENOSYS)
	for about, test := range map[string]struct {
		data seccomp.Data
		want seccomp.Ruling
	}{
		"32-bit code":                {seccomp.Data{Number: 1, Arch: seccomp.ArchI386}, foreign},
		"no architecture":            {seccomp.Data{Number: 1}, foreign},
		"x32 read":                   {seccomp.Data{Number: seccomp.X32Bit, Arch: seccomp.ArchX86_64}, foreign},
		"x32 execve":                 {seccomp.Data{Number: seccomp.X32Bit + 520, Arch: seccomp.ArchX86_64}, foreign},
		"a negative number":          {seccomp.Data{Number: -2, Arch: seccomp.ArchX86_64}, foreign},
		"a call skipped by a tracer": {seccomp.Data{Number: -1, Arch: seccomp.ArchX86_64}, quiet(unix.ENOSYS)},
		"a gap in the table":         {seccomp.Data{Number: 400, Arch: seccomp.ArchX86_64}, quiet(unix.ENOSYS)},
		"a call of the future":       {seccomp.Data{Number: 1000, Arch: seccomp.ArchX86_64}, quiet(unix.ENOSYS)},
		"a call without a function":  {seccomp.Data{Number: 236, Arch: seccomp.ArchX86_64}, quiet(unix.ENOSYS)},
	} {
		if got, _ := spec.Ruling(test.data); got != test.want {
			t.Errorf("%s is %v, want %v", about, got, test.want)
		}
		if test.want == foreign { // without a supervisor
			test.want = seccomp.Ruling{Action: seccomp.ActKill}
		}
		static := spec.Static()
		if got, _ := static.Ruling(test.data); got != test.want {
			t.Errorf("%s is %v in a static filter, want %v", about, got, test.want)
		}
	}
}
