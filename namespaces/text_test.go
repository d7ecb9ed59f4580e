package namespaces_test

import (
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/namespaces"
)

func TestEveryCodeHasAName(t *testing.T) {
	seen := make(map[string]bool)
	for code := range namespaces.OpCount {
		name := code.String()
		if name == "" || seen[name] {
			t.Errorf("operation %d is called %q", uint16(code), name)
		}
		seen[name] = true
	}
	if got := namespaces.OpCount.String(); seen[got] {
		t.Errorf("a code that does not exist is called %q", got)
	}
}

func TestOpText(t *testing.T) {
	exec, err := namespaces.ExecOp("/usr/bin/python3", []string{"python3", "a b"}, []string{"A=1"})
	if err != nil {
		t.Fatal(err)
	}
	for want, op := range map[string]namespaces.Op{
		"bind /usr ro noexec":                                      {Code: namespaces.OpBind, S1: "/usr", S2: "/usr", Flags: readOnly},
		"bind /x as /usr dev nosymfollow":                          {Code: namespaces.OpBind, S1: "/x", S2: "/usr", Flags: namespaces.FlagDev | namespaces.FlagNoSymfollow},
		"bind donated 4 as /usr ro":                                {Code: namespaces.OpBind, S2: "/usr", N1: 4, Flags: ro},
		`mkdir "/a b\npivot" mode=0755`:                            {Code: namespaces.OpMkdir, S1: "/a b\npivot", N1: 0o755},
		"file /etc/hosts mode=0444 bytes=3":                        {Code: namespaces.OpFile, S1: "/etc/hosts", Data: []byte("abc"), N1: 0o444},
		"symlink /dev/fd -> /proc/self/fd":                         {Code: namespaces.OpSymlink, S1: "/dev/fd", S2: "/proc/self/fd"},
		"proc /proc visible=stat,sys/vm/x":                         {Code: namespaces.OpProc, S1: "/proc", Data: []byte("stat\x00sys/vm/x\x00")},
		"rlimit RLIMIT_NOFILE soft=1 hard=infinity":                {Code: namespaces.OpRlimit, N1: 7, N2: 1, N3: ^uint64(0)},
		"rlimit 99 soft=1 hard=2":                                  {Code: namespaces.OpRlimit, N1: 99, N2: 1, N3: 2},
		"stdio donated 0 1 2 tty":                                  {Code: namespaces.OpStdio, N1: 0, N2: 1, N3: 2, Flags: namespaces.FlagTTY},
		"filter instructions=2 flags=0x8":                          {Code: namespaces.OpFilter, Data: make([]byte, 16), N1: 8},
		"landlock-path /a read_file,unknown":                       {Code: namespaces.OpLandlockPath, S1: "/a", N1: 4 | 1<<40},
		"socket domain=2 type=1 protocol=0":                        {Code: namespaces.OpSocket, N1: 2, N2: 1},
		"pass-fd donated 3 as 4":                                   {Code: namespaces.OpPassFD, N1: 3, N2: 4},
		"spawn":                                                    {Code: namespaces.OpSpawn},
		`exec /usr/bin/python3 args=["python3" "a b"] env=["A=1"]`: exec,
		`exec /a args=["a"] env=[]`:                                {Code: namespaces.OpExec, S1: "/a", Data: []byte("a\x00"), N1: 9},
	} {
		if got := op.String(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if strings.Contains(op.String(), "\n") {
			t.Errorf("%q forges a line", op.String())
		}
	}
}

func TestRlimitNames(t *testing.T) {
	for name, want := range map[string]uint64{"RLIMIT_CPU": 0, "RLIMIT_NPROC": 6, "RLIMIT_NOFILE": 7, "RLIMIT_RTTIME": 15} {
		if got, ok := namespaces.Rlimit(name); !ok || got != want {
			t.Errorf("%s is %d, %v", name, got, ok)
		}
	}
	if _, ok := namespaces.Rlimit("RLIMIT_LUCK"); ok {
		t.Error("a resource that does not exist has a number")
	}
}
