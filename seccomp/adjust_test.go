package seccomp_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/seccomp"
)

func TestWithSyscalls(t *testing.T) {
	for about, test := range map[string]struct {
		from    []string
		allow   []string
		errnos  map[string]string
		call    string
		args    [6]uint64
		before  seccomp.Ruling
		becomes seccomp.Ruling
	}{
		"a call of no layer": {
			[]string{"base"},
			[]string{"ustat"},
			nil, "ustat",
			[6]uint64{},
			reported(unix.EPERM), allowed,
		},
		"a call with a general refusal": {
			[]string{"base"},
			[]string{"setxattr"},
			nil, "setxattr",
			[6]uint64{},
			quiet(unix.EOPNOTSUPP), allowed,
		},
		"its twin keeps the refusal": {
			[]string{"base"},
			[]string{"setxattr"},
			nil, "fsetxattr",
			[6]uint64{},
			quiet(unix.EOPNOTSUPP), quiet(unix.EOPNOTSUPP),
		},
		"a call of a layer": {
			[]string{"base"},
			[]string{"socket"},
			nil, "socket",
			[6]uint64{unix.AF_INET, unix.SOCK_STREAM, 0},
			reported(unix.EPERM), allowed,
		},
		"a call of a layer comes with its conditions": {
			[]string{"base"},
			[]string{"socket"},
			nil, "socket",
			[6]uint64{unix.AF_INET, unix.SOCK_STREAM, 262},
			reported(unix.EPERM), reported(unix.EPROTONOSUPPORT),
		},
		"a trap is not taken away by its call": {
			[]string{"base", "net"},
			[]string{"connect", "epoll_create1"},
			nil, "epoll_create1",
			[6]uint64{},
			notified, notified,
		},
		"a trap is not taken away by a layer": {
			[]string{"base", "net"},
			[]string{"ipc"},
			nil, "getsockopt",
			[6]uint64{3, unix.SOL_SOCKET, unix.SO_ERROR},
			notified, notified,
		},
		"a layer": {
			[]string{"base"},
			[]string{"sysv"},
			nil, "shmget",
			[6]uint64{},
			reported(unix.EPERM), allowed,
		},
		"ioctl stays a list": {
			[]string{"base"},
			[]string{"ioctl"},
			nil, "ioctl",
			[6]uint64{0, unix.TIOCSTI},
			quiet(unix.ENOTTY), quiet(unix.ENOTTY),
		},
		"an errno": {
			[]string{"base"},
			nil,
			map[string]string{"ustat": "ENOSYS"},
			"ustat",
			[6]uint64{},
			reported(unix.EPERM), reported(unix.ENOSYS),
		},
		"an errno with two names": {
			[]string{"base"},
			nil,
			map[string]string{"ustat": "EOPNOTSUPP"},
			"ustat",
			[6]uint64{},
			reported(unix.EPERM), reported(unix.EOPNOTSUPP),
		},
		"an errno of a list": {
			[]string{"base"},
			nil,
			map[string]string{"ioctl": "EINVAL"},
			"ioctl",
			[6]uint64{0, unix.TIOCSTI},
			quiet(unix.ENOTTY), quiet(unix.EINVAL),
		},
	} {
		t.Run(about, func(t *testing.T) {
			spec := layers(t, test.from...)
			rules := len(spec.Rules)
			changed, err := seccomp.WithSyscalls(spec, test.allow, test.errnos)
			if err != nil {
				t.Fatal(err)
			}
			if err := changed.Validate(); err != nil {
				t.Error(err)
			}
			if got := ruling(&changed, test.call, test.args); got != test.becomes {
				t.Errorf("becomes %v, want %v", got, test.becomes)
			}
			if got := ruling(&spec, test.call, test.args); got != test.before || len(spec.Rules) != rules {
				t.Errorf("the spec it was made from is now %v with %d rules, want %v with %d", got, len(spec.Rules), test.before, rules)
			}
		})
	}
}

func TestWithSyscallsNamesEveryMistake(t *testing.T) {
	_, err := seccomp.WithSyscalls(layers(t, "base"),
		[]string{"raed", "thread", "ptrace"},
		map[string]string{"opne": "EPERM", "ustat": "EPREM", "read": "EIO", "clone3": "EPERM", "execve": "EIO"})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		`allow raed: unknown system call or layer; did you mean "read"?`,
		`allow thread: unknown system call or layer; did you mean "threads"?`,
		"allow ptrace: it is never available: reaches into another process",
		`errno of opne: unknown system call; did you mean "open"?`,
		`errno of ustat: unknown errno "EPREM"; did you mean "EPERM"?`,
		"errno of read: the filter does not refuse it",
		"errno of execve: the filter does not refuse it",
		"errno of clone3: it must stay ENOSYS",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in\n%v", want, err)
		}
	}
}

// TestGrantable holds the hint to its word: what it names lets the call through,
// and what it does not name would not have.
func TestGrantable(t *testing.T) {
	spec := layers(t, "base", "ipc", "files_write")
	grantable := make(map[string]bool)
	for about, test := range map[string]struct {
		call string
		args [6]uint64
		want bool
	}{
		"a call of no layer":            {"ustat", [6]uint64{}, true},
		"a call of another layer":       {"fork", [6]uint64{}, true},
		"a use of another layer":        {"clone", [6]uint64{threadFlags}, true},
		"a use that no layer has":       {"clone", [6]uint64{unix.CLONE_NEWUSER}, false},
		"a refused use of a layer":      {"chmod", [6]uint64{0, 0o4755}, false},
		"what is never available":       {"ptrace", [6]uint64{}, false},
		"what answers ENOSYS":           {"clone3", [6]uint64{}, false},
		"what passes already":           {"read", [6]uint64{}, false},
		"what the supervisor decides":   {"sendto", [6]uint64{3, 1, 1, 0, 1, 16}, false},
		"what a list does not have":     {"ioctl", [6]uint64{0, unix.TIOCSTI}, false},
		"what is refused without noise": {"setxattr", [6]uint64{}, true},
	} {
		number, _ := seccomp.Number(test.call)
		d := seccomp.Data{Number: number, Arch: seccomp.ArchX86_64, Args: test.args}
		if got := spec.Grantable(d); got != test.want {
			t.Errorf("%s: %v, want %v", about, got, test.want)
		}
		widened, err := seccomp.WithSyscalls(spec, []string{test.call}, nil)
		before, after := ruling(&spec, test.call, test.args), seccomp.Ruling{}
		if err == nil {
			after = ruling(&widened, test.call, test.args)
		}
		if lets := !passes(before) && passes(after); lets != test.want {
			t.Errorf("%s: WithSyscalls turns %v into %v (%v), want a way through: %v", about, before, after, err, test.want)
		}
		grantable[about] = test.want
	}
	if !slices.Contains(slices.Collect(maps.Values(grantable)), false) {
		t.Error("the table has no counterexample")
	}
	for _, d := range []seccomp.Data{
		{Number: 1000, Arch: seccomp.ArchX86_64},
		{Number: 1, Arch: seccomp.ArchI386},
		{Number: seccomp.X32Bit | 1, Arch: seccomp.ArchX86_64},
	} {
		if spec.Grantable(d) {
			t.Errorf("%+v is grantable", d)
		}
	}
}

func passes(r seccomp.Ruling) bool {
	return r.Action == seccomp.ActAllow || r.Action == seccomp.ActNotify
}

// TestStaticAsksNobody holds that the filter without a supervisor notifies never,
// keeps errnos, and lets the program start.
func TestStaticAsksNobody(t *testing.T) {
	spec := layers(t, layerNames()...)
	static := spec.Static()
	if err := static.Validate(); err != nil {
		t.Fatal(err)
	}
	for _, rule := range spec.Rules {
		before, after := ruling(&spec, rule.Syscall, satisfy(rule)), ruling(&static, rule.Syscall, satisfy(rule))
		want := before
		switch {
		case before.Action == seccomp.ActExplain:
			want.Action = seccomp.ActErrno
		case before.Action == seccomp.ActNotify && (rule.Syscall == "execve" || rule.Syscall == "execveat"):
			want = allowed
		case before.Action == seccomp.ActNotify:
			want = quiet(unix.EPERM)
		}
		if after != want {
			t.Errorf("%s: %v becomes %v, want %v", rule.Syscall, before, after, want)
		}
	}
	if got := ruling(&static, "ustat", [6]uint64{}); got != quiet(unix.EPERM) {
		t.Errorf("a call without a rule is %v", got)
	}
}
