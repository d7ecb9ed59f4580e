package plan_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pysandbox/pysandbox/plan"
	"github.com/pysandbox/pysandbox/policy"
)

func TestCompileIsDeterministic(t *testing.T) {
	pol := preset(t, "worker")
	pol.Files.Read = []string{"/srv/data", "/srv/link"}
	pol.Env.Set = map[string]string{"A": "1", "B": "2", "C": "3"}
	var first string
	for range 20 {
		r := resolve(t, compile(t, pol, script()), fixedHost())
		text, err := json.Marshal(r.Plan)
		if err != nil {
			t.Fatal(err)
		}
		encoded, err := r.Setup.Encode()
		if err != nil {
			t.Fatal(err)
		}
		now := string(text) + string(encoded)
		if first == "" {
			first = now
		}
		if now != first {
			t.Fatal("equal arguments gave different plans")
		}
	}
}

func TestCommands(t *testing.T) {
	venv := preset(t, "strict")
	venv.Python.Interpreter = "/srv/venv"
	strict := preset(t, "strict")
	program := func(words ...string) plan.Invocation {
		return plan.Invocation{Kind: plan.RunProgram, Argument: words[0], Args: words[1:], Directory: "/srv/job"}
	}
	tests := map[string]struct {
		policy policy.Policy
		inv    plan.Invocation
		want   plan.Command
	}{
		"script": {
			strict, script(),
			plan.Command{Python: true, Interpreter: "python3", Script: "/srv/job/job.py", Args: []string{"/srv/job/job.py", "input.csv"}},
		},
		"code": {
			strict,
			plan.Invocation{Kind: plan.RunCode, Argument: "pass", Args: []string{"-x"}, Directory: "/"},
			plan.Command{Python: true, Interpreter: "python3", Args: []string{"-c", "pass", "-x"}},
		},
		"empty code": {
			strict,
			plan.Invocation{Kind: plan.RunCode, Directory: "/"},
			plan.Command{Python: true, Interpreter: "python3", Args: []string{"-c", ""}},
		},
		"module": {
			strict,
			plan.Invocation{Kind: plan.RunModule, Argument: "json.tool", Args: []string{"a"}, Directory: "/"},
			plan.Command{Python: true, Interpreter: "python3", Args: []string{"-m", "json.tool", "a"}},
		},
		"input": {
			strict,
			plan.Invocation{Kind: plan.RunInput, Directory: "/"},
			plan.Command{Python: true, Interpreter: "python3"},
		},
		"input with arguments": {
			strict,
			plan.Invocation{Kind: plan.RunInput, Args: []string{"a"}, Directory: "/"},
			plan.Command{Python: true, Interpreter: "python3", Args: []string{"-", "a"}},
		},
		"python3 with a script": {
			strict, program("python3", "-Iu", "-X", "dev", "-W", "error", "job.py", "-c"),
			plan.Command{
				Python: true, Interpreter: "python3", Release: "3", Script: "/srv/job/job.py",
				Args: []string{"-Iu", "-X", "dev", "-W", "error", "/srv/job/job.py", "-c"},
			},
		},
		"python with code": {
			strict, program("python", "-Sc", "pass", "job.py"),
			plan.Command{Python: true, Interpreter: "python3", Args: []string{"-Sc", "pass", "job.py"}},
		},
		"python with a module": {
			strict, program("python", "-m", "venv", "x"),
			plan.Command{Python: true, Interpreter: "python3", Args: []string{"-m", "venv", "x"}},
		},
		"python with input": {
			strict, program("python", "-", "x"),
			plan.Command{Python: true, Interpreter: "python3", Args: []string{"-", "x"}},
		},
		"script after --": {
			strict, program("python", "--", "-job.py"),
			plan.Command{Python: true, Interpreter: "python3", Script: "/srv/job/-job.py", Args: []string{"--", "/srv/job/-job.py"}},
		},
		"long option with a value": {
			strict, program("python", "--check-hash-based-pycs", "never", "/a/../job.py"),
			plan.Command{Python: true, Interpreter: "python3", Script: "/job.py", Args: []string{"--check-hash-based-pycs", "never", "/a/../job.py"}},
		},
		"joined option value": {
			strict, program("python", "-Xdev", "-Werror", "job.py"),
			plan.Command{Python: true, Interpreter: "python3", Script: "/srv/job/job.py", Args: []string{"-Xdev", "-Werror", "/srv/job/job.py"}},
		},
		"a release": {
			strict, program("python3.12", "job.py"),
			plan.Command{Python: true, Interpreter: "python3.12", Release: "3.12", Script: "/srv/job/job.py", Args: []string{"/srv/job/job.py"}},
		},
		"a release beside a venv": {
			venv, program("python3.12", "-V"),
			plan.Command{Python: true, Interpreter: "/srv/venv", Release: "3.12", Args: []string{"-V"}},
		},
		"a path": {
			strict, program("../venv/bin/python", "-V"),
			plan.Command{Python: true, Interpreter: "/srv/venv/bin/python", Args: []string{"-V"}},
		},
		"a path in the policy's venv": {
			venv, program("/srv/venv/bin/python3", "-V"),
			plan.Command{Python: true, Interpreter: "/srv/venv", Release: "3", Args: []string{"-V"}},
		},
	}
	for name, test := range tests {
		p, err := plan.Compile(test.policy, test.inv)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := p.Command
		if got.Python != test.want.Python || got.Interpreter != test.want.Interpreter || got.Release != test.want.Release ||
			got.Script != test.want.Script || !slices.Equal(got.Args, test.want.Args) {
			t.Errorf("%s: got %+v, want %+v", name, got, test.want)
		}
	}
}

func TestCompileDoesNotChangeTheInvocation(t *testing.T) {
	args := []string{"job.py"}
	inv := plan.Invocation{Kind: plan.RunProgram, Argument: "python3", Args: args, Directory: "/srv/job"}
	compile(t, preset(t, "strict"), inv)
	if args[0] != "job.py" {
		t.Errorf("the caller's argument is now %q", args[0])
	}
}

func TestTheCommandItselfMayStart(t *testing.T) {
	git := plan.Invocation{Kind: plan.RunProgram, Argument: "git", Args: []string{"status"}, Directory: "/srv/job"}
	p := compile(t, preset(t, "strict"), git)
	if !slices.Equal(p.Process.Spawn, []string{"git"}) || p.Process.SpawnAny {
		t.Errorf("a command that the policy does not name may start %+v", p.Process)
	}
	if script := compile(t, preset(t, "strict"), script()); len(script.Process.Spawn) != 0 {
		t.Errorf("a script may start %q", script.Process.Spawn)
	}
	for name, change := range map[string]func(*policy.Policy){
		"named": func(p *policy.Policy) { p.Process.Spawn = []string{"git"} },
		"any":   func(p *policy.Policy) { p.Process.SpawnAny = true },
	} {
		allowed := preset(t, "strict")
		change(&allowed)
		if p := compile(t, allowed, git); p.Command.Python || p.Command.Program != "git" {
			t.Errorf("%s: %+v", name, p.Command)
		}
	}
	tool := plan.Invocation{Kind: plan.RunProgram, Argument: "./bin/x", Directory: "/opt/tool"}
	pol := preset(t, "strict")
	pol.Files.Exec = []string{"/opt/tool"}
	if p := compile(t, pol, tool); p.Command.Program != "/opt/tool/bin/x" || len(p.Process.Spawn) != 0 {
		t.Errorf("a program below files.exec: %+v, may start %q", p.Command, p.Process.Spawn)
	}
	pol.Files.Exec = []string{"/opt/too"}
	if p := compile(t, pol, tool); !slices.Equal(p.Process.Spawn, []string{"./bin/x"}) {
		t.Errorf("/opt/tool counts as below /opt/too: may start %q", p.Process.Spawn)
	}
}

func TestCompileRefuses(t *testing.T) {
	long := strings.Repeat("x", 32*4096)
	tests := map[string]struct {
		policy func(*policy.Policy)
		inv    func(*plan.Invocation)
	}{
		"there is no command":       {inv: func(i *plan.Invocation) { i.Kind = 0 }},
		"is not an absolute path":   {inv: func(i *plan.Invocation) { i.Argument = "job.py" }},
		"the caller's directory":    {inv: func(i *plan.Invocation) { i.Directory = "" }},
		"-m needs the name":         {inv: func(i *plan.Invocation) { i.Kind, i.Argument = plan.RunModule, "" }},
		"no command follows":        {inv: func(i *plan.Invocation) { i.Kind, i.Argument = plan.RunProgram, "" }},
		"put it in a file":          {inv: func(i *plan.Invocation) { i.Kind, i.Argument = plan.RunCode, long }},
		"holds a NUL":               {inv: func(i *plan.Invocation) { i.Args = []string{"a\x00b"} }},
		"PYTHONPATH would tell":     {policy: func(p *policy.Policy) { p.Env.Pass = []string{"PYTHONPATH"} }},
		"env.pass[0]: LD_PRELOAD":   {policy: func(p *policy.Policy) { p.Env.Pass = []string{"LD_PRELOAD"} }},
		"env.set.LD_LIBRARY_PATH:":  {policy: func(p *policy.Policy) { p.Env.Set = map[string]string{"LD_LIBRARY_PATH": "/"} }},
		`"A=B" is no name`:          {policy: func(p *policy.Policy) { p.Env.Set = map[string]string{"A=B": ""} }},
		`"" is no name`:             {policy: func(p *policy.Policy) { p.Env.Pass = []string{""} }},
		"the value of A holds":      {policy: func(p *policy.Policy) { p.Env.Set = map[string]string{"A": "\x00"} }},
		"env.set.A: A has 131072":   {policy: func(p *policy.Policy) { p.Env.Set = map[string]string{"A": long} }},
		"files.read[0]: / would h":  {policy: func(p *policy.Policy) { p.Files.Read = []string{"/"} }},
		"/etc would hide":           {policy: func(p *policy.Policy) { p.Files.Read = []string{"/etc"} }},
		"/tmp would hide":           {policy: func(p *policy.Policy) { p.Files.Write = []string{"/tmp"} }},
		"/home would hide":          {policy: func(p *policy.Policy) { p.Files.Read = []string{"/home"} }},
		"/proc/self is the host's":  {policy: func(p *policy.Policy) { p.Files.Read = []string{"/proc/self"} }},
		"/dev/kvm is the host's":    {policy: func(p *policy.Policy) { p.Files.Write = []string{"/dev/kvm"} }},
		`"data" is not an absolute`: {policy: func(p *policy.Policy) { p.Files.Exec = []string{"data"} }},
		"limits.open_files: 15":     {policy: func(p *policy.Policy) { p.Limits.OpenFiles = 15 }},
		"limits.memory: 1KiB":       {policy: func(p *policy.Policy) { p.Limits.Memory = 1024 }},
		"limits.wall: it is negati": {policy: func(p *policy.Policy) { p.Limits.Wall = -time.Second }},
		"threads: false contradict": {policy: func(p *policy.Policy) {
			p.Process.Threads, p.Syscalls.Allow = false, []string{"threads"}
		}},
		"allow ptrace: it is never": {policy: func(p *policy.Policy) { p.Syscalls.Allow = []string{"ptrace"} }},
	}
	for want, test := range tests {
		pol, inv := preset(t, "strict"), script()
		if test.policy != nil {
			test.policy(&pol)
		}
		if test.inv != nil {
			test.inv(&inv)
		}
		if _, err := plan.Compile(pol, inv); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want one with %q", err, want)
		}
	}
}

func TestCompileNamesEveryMistake(t *testing.T) {
	pol := preset(t, "strict")
	pol.Files.Read = []string{"/", "/proc"}
	pol.Env.Pass = []string{"LD_PRELOAD"}
	pol.Limits.OpenFiles = 3
	_, err := plan.Compile(pol, script())
	for _, want := range []string{"/ would hide", "/proc", "LD_PRELOAD", "open_files"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name %s: %v", want, err)
		}
	}
}

func TestEnvironment(t *testing.T) {
	pol := preset(t, "strict")
	pol.Env.Pass = []string{"LANG", "ABSENT", "TOKEN"}
	pol.Env.Set = map[string]string{"TOKEN": "set", "PYTHONHASHSEED": "0", "HOME": "/srv"}
	inv := script()
	inv.Terminal = true
	inv.Env = map[string]string{
		"LANG": "de_DE.UTF-8", "TOKEN": "passed", "SECRET": "x", "TERM": "xterm", "LD_PRELOAD": "x", "PYTHONPATH": "x",
	}
	got := compile(t, pol, inv).Spec.Process.Env
	want := []string{
		"HOME=/srv", "LANG=de_DE.UTF-8", "LOGNAME=sandbox", "MPLCONFIGDIR=/home/sandbox/.config/matplotlib",
		"PATH=/usr/local/bin:/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE=1", "PYTHONHASHSEED=0", "TERM=xterm",
		"TMPDIR=/tmp", "TOKEN=set", "USER=sandbox", "XDG_CACHE_HOME=/home/sandbox/.cache",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

func TestLocaleIsUTF8UnlessSaid(t *testing.T) {
	for set, want := range map[string]bool{"": true, "LANG": false, "LC_CTYPE": false, "LC_ALL": false} {
		pol := preset(t, "strict")
		pol.Env.Pass = nil
		if set != "" {
			pol.Env.Set = map[string]string{set: "de_DE.UTF-8"}
		}
		env := compile(t, pol, script()).Spec.Process.Env
		if got := slices.Contains(env, "LC_ALL=C.UTF-8"); got != want {
			t.Errorf("with %q set, LC_ALL=C.UTF-8 is there: %v", set, got)
		}
		if set != "LANG" && !slices.Contains(env, "LANG=C.UTF-8") {
			t.Errorf("with %q set, LANG=C.UTF-8 is missing", set)
		}
	}
}

func TestLayersFollowThePolicy(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*policy.Policy)
		has    []string
		lacks  []string
	}{
		"threads, one process": {
			func(p *policy.Policy) { p.Limits.Pids = 1 },
			[]string{"base", "ipc", "files_write", "net", "server", "threads"},
			[]string{"subprocess", "sysv", "confine"},
		},
		"no threads": {
			func(p *policy.Policy) { p.Process.Threads = false },
			[]string{"subprocess"},
			[]string{"threads"},
		},
		"no limit on processes": {
			func(p *policy.Policy) { p.Limits.Pids = 0 },
			[]string{"subprocess"},
			nil,
		},
		"a program, one process": {
			func(p *policy.Policy) { p.Limits.Pids, p.Process.Spawn = 1, []string{"git"} },
			[]string{"subprocess"},
			nil,
		},
	} {
		pol := preset(t, "strict")
		test.change(&pol)
		layers := compile(t, pol, script()).Layers
		for _, layer := range test.has {
			if !slices.Contains(layers, layer) {
				t.Errorf("%s: layer %s is missing", name, layer)
			}
		}
		for _, layer := range test.lacks {
			if slices.Contains(layers, layer) {
				t.Errorf("%s: has layer %s", name, layer)
			}
		}
	}
}

func TestSyscallsOfThePolicyReachTheFilter(t *testing.T) {
	has := func(p *plan.Plan, call string) bool {
		for _, rule := range p.Filter.Rules {
			if rule.Syscall == call && rule.Action == 1 {
				return true
			}
		}
		return false
	}
	pol := preset(t, "strict")
	if has(compile(t, pol, script()), "shmget") {
		t.Fatal("strict allows shmget, so it shows nothing")
	}
	pol.Syscalls.Allow = []string{"sysv"}
	if !has(compile(t, pol, script()), "shmget") {
		t.Error("syscalls.allow = [\"sysv\"] does not allow shmget")
	}
}

// TestACommandMayRepeatTheInterpreter names the policy's interpreter once more, as a
// directory beside the caller and as a program in it. Of any other path, the host
// says whether it leads there.
func TestACommandMayRepeatTheInterpreter(t *testing.T) {
	pol := preset(t, "strict")
	pol.Python.Interpreter = "venv"
	for name, same := range map[string]bool{
		"venv/bin/python": true, "./venv/bin/python3": true, "/srv/job/venv/bin/python": true,
		"venv2/bin/python": false, "/usr/bin/python3": false, "/venv/bin/python": false,
	} {
		inv := plan.Invocation{Kind: plan.RunProgram, Argument: name, Args: []string{"-V"}, Directory: "/srv/job"}
		p, err := plan.Compile(pol, inv)
		if err != nil || p.Command.Interpreter != "venv" || same != (p.Command.Same == "") {
			t.Errorf("%s: got %+v, error %v", name, p.Command, err)
		}
	}
}
