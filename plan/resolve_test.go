package plan_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pysandbox/pysandbox/internal/host"
	"github.com/pysandbox/pysandbox/internal/netrule"
	"github.com/pysandbox/pysandbox/plan"
	"github.com/pysandbox/pysandbox/policy"
)

// lines returns the setup operations that begin with one of the words.
func lines(r *plan.Resolved, prefixes ...string) []string {
	var out []string
	for line := range strings.Lines(r.Setup.String()) {
		for _, prefix := range prefixes {
			if strings.HasPrefix(line, prefix) {
				out = append(out, strings.TrimSpace(line))
			}
		}
	}
	return out
}

func resolveWith(t *testing.T, change func(*policy.Policy), inv plan.Invocation, h plan.Host) (*plan.Resolved, error) {
	t.Helper()
	pol := preset(t, "strict")
	if change != nil {
		change(&pol)
	}
	return plan.Resolve(compile(t, pol, inv), h)
}

func TestUserPaths(t *testing.T) {
	tests := map[string]struct {
		change func(*policy.Policy)
		want   []string
	}{
		"read": {
			func(p *policy.Policy) { p.Files.Read = []string{"/srv/data"} },
			[]string{
				"bind /srv/data ro noexec", "bind /srv/job/job.py ro noexec",
				"landlock-path /srv/data read_file,read_dir", "landlock-path /srv/job/job.py read_file,read_dir",
			},
		},
		"write": {
			func(p *policy.Policy) { p.Files.Write = []string{"/srv/out"} },
			[]string{
				"bind /srv/job/job.py ro noexec", "bind /srv/out noexec", "landlock-path /srv/job/job.py read_file,read_dir",
				"landlock-path /srv/out write_file,read_file,read_dir,remove_dir,remove_file,make_dir,make_reg,make_sock,make_fifo,make_sym,refer,truncate",
			},
		},
		"the script's directory": {
			func(p *policy.Policy) { p.Files.Read = []string{"/srv/job"} },
			[]string{"bind /srv/job ro noexec", "landlock-path /srv/job read_file,read_dir"},
		},
		"through a symlink": {
			func(p *policy.Policy) { p.Files.Read = []string{"/srv/link"} },
			[]string{
				"bind /srv/data/real ro noexec", "bind /srv/job/job.py ro noexec", "symlink /srv/link -> data/real",
				"landlock-path /srv/data/real read_file,read_dir", "landlock-path /srv/job/job.py read_file,read_dir",
			},
		},
		"read-only within writable": {
			func(p *policy.Policy) { p.Files.Write, p.Files.Read = []string{"/srv/data"}, []string{"/srv/link"} },
			[]string{
				"bind /srv/data noexec", "bind /srv/data/real ro noexec", "bind /srv/job/job.py ro noexec", "symlink /srv/link -> data/real",
				"landlock-path /srv/data write_file,read_file,read_dir,remove_dir,remove_file,make_dir,make_reg,make_sock,make_fifo,make_sym,refer,truncate",
				"landlock-path /srv/job/job.py read_file,read_dir",
			},
		},
		"read what the interpreter shows": {
			func(p *policy.Policy) { p.Files.Read = []string{"/usr/lib/python3.12/encodings"} },
			[]string{"bind /srv/job/job.py ro noexec", "landlock-path /srv/job/job.py read_file,read_dir", "landlock-path /usr/lib/python3.12 read_file,read_dir"},
		},
		"above what the interpreter shows": {
			func(p *policy.Policy) { p.Files.Read = []string{"/usr/lib"} },
			[]string{"bind /srv/job/job.py ro noexec", "landlock-path /srv/job/job.py read_file,read_dir", "bind /usr/lib ro noexec", "bind /usr/lib/python3.12 ro"},
		},
		"to execute": {
			func(p *policy.Policy) { p.Files.Exec = []string{"/opt/tool"} },
			[]string{
				"bind /opt/tool ro", "bind /srv/job/job.py ro noexec",
				"landlock-path /opt/tool execute,read_file,read_dir", "landlock-path /srv/job/job.py read_file,read_dir",
			},
		},
	}
	h := withPaths(fixedHost(), map[string]host.Path{
		"/usr/lib":                      {Real: "/usr/lib", Dir: true},
		"/usr/lib/python3.12/encodings": {Real: "/usr/lib/python3.12/encodings", Dir: true},
	})
	for name, test := range tests {
		r, err := resolveWith(t, test.change, script(), h)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := lines(r, "bind", "symlink", "landlock-path")
		for _, want := range test.want {
			if !slices.Contains(got, want) {
				t.Errorf("%s: %q is missing in\n%s", name, want, strings.Join(got, "\n"))
			}
		}
		for _, line := range got {
			if strings.Contains(line, "/srv/") && !slices.Contains(test.want, line) {
				t.Errorf("%s: has %q", name, line)
			}
		}
	}
}

func TestNamedPathsAreReal(t *testing.T) {
	r, err := resolveWith(t, func(p *policy.Policy) {
		p.Files.Read, p.Files.Write = []string{"/srv/link"}, []string{"/srv/out"}
	}, script(), fixedHost())
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"/srv/data/real", "/srv/job/job.py", "/srv/out"}; !slices.Equal(r.Named, want) {
		t.Errorf("got %q, want %q", r.Named, want)
	}
}

func TestWhereTheProgramStarts(t *testing.T) {
	read := func(paths ...string) func(*policy.Policy) {
		return func(p *policy.Policy) { p.Files.Read = paths }
	}
	start := func(directory string, paths ...string) func(*policy.Policy) {
		return func(p *policy.Policy) { p.Process.Directory, p.Files.Read = directory, paths }
	}
	for name, test := range map[string]struct {
		change func(*policy.Policy)
		want   string
	}{
		"the caller's is hidden":  {nil, "/home/sandbox"},
		"the caller's is visible": {read("/srv/job"), "/srv/job"},
		"the policy's":            {start("/srv/data", "/srv/data"), "/srv/data"},
		"through a symlink":       {start("/srv/link", "/srv/link"), "/srv/data/real"},
		"a place of ours":         {start("/tmp"), "/tmp"},
	} {
		r, err := resolveWith(t, test.change, script(), fixedHost())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := lines(r, "chdir"); !slices.Equal(got, []string{"chdir " + test.want}) {
			t.Errorf("%s: %v, want %s", name, got, test.want)
		}
	}
	for want, directory := range map[string]string{
		"/srv/data is not visible inside": "/srv/data",
		"/srv/gone: file does not exist":  "/srv/gone",
		"/srv/job/job.py is not a direct": "/srv/job/job.py",
	} {
		if _, err := resolveWith(t, start(directory), script(), fixedHost()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want %q", err, want)
		}
	}
}

func TestWritablePathsAreRefused(t *testing.T) {
	write := func(path string) func(*policy.Policy) {
		return func(p *policy.Policy) { p.Files.Write = []string{path} }
	}
	h := withPaths(fixedHost(), map[string]host.Path{
		"/usr/lib/python3.12/site-packages": {Real: "/usr/lib/python3.12/site-packages", Dir: true, Owner: 1001},
		"/usr":                              {Real: "/usr", Dir: true, Owner: 1001},
		"/srv/alias":                        {Real: "/etc", Dir: true, Owner: 1001},
	})
	h.Protected = []plan.Protected{{Path: "/srv/data/cache", What: "the cache"}}
	for path, want := range map[string]string{
		"/usr/lib/python3.12/site-packages": "could change the interpreter",
		"/usr":                              "could change the interpreter",
		"/srv/data":                         "could change the cache (/srv/data/cache)",
		"/srv/gone":                         "file does not exist",
		"/srv/alias":                        "/srv/alias leads to /etc",
	} {
		if _, err := resolveWith(t, write(path), script(), h); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got error %v, want %q", path, err, want)
		}
	}
	if _, err := resolveWith(t, write("/srv/out"), script(), h); err != nil {
		t.Errorf("a path apart: %v", err)
	}
}

func TestMorePathsThanRootCanShow(t *testing.T) {
	names, paths := []string{}, map[string]host.Path{}
	for i := range 1200 {
		name := fmt.Sprintf("/srv/data/%d", i)
		names, paths[name] = append(names, name), host.Path{Real: name}
	}
	read := func(p *policy.Policy) { p.Files.Read = names }
	h := withPaths(fixedHost(), paths)
	if _, err := resolveWith(t, read, script(), h); err != nil {
		t.Errorf("an ordinary user: %v", err)
	}
	h.Facts.Root = true
	_, err := resolveWith(t, read, script(), h)
	if problem, isProblem := errors.AsType[*policy.Problem](err); !isProblem || problem.Key != "files.read[1199]" {
		t.Errorf("got error %v", err)
	}
}

func TestRootDoesNotWriteRootsFiles(t *testing.T) {
	write := func(allow bool) func(*policy.Policy) {
		return func(p *policy.Policy) { p.Files.Write, p.Files.AllowRootOwned = []string{"/srv/root"}, allow }
	}
	root := fixedHost()
	root.Facts.Root = true
	if _, err := resolveWith(t, write(false), script(), root); err == nil || !strings.Contains(err.Error(), "allow_root_owned") {
		t.Errorf("root writes a directory of root's: %v", err)
	}
	if _, err := resolveWith(t, write(true), script(), root); err != nil {
		t.Errorf("with files.allow_root_owned: %v", err)
	}
	if _, err := resolveWith(t, write(false), script(), fixedHost()); err != nil {
		t.Errorf("an ordinary user, whom the kernel refuses anyway: %v", err)
	}
}

func TestTiers(t *testing.T) {
	for name, test := range map[string]struct {
		require string
		facts   func(*plan.Facts)
		want    string // error, empty: tier full
	}{
		"everything":        {"full", func(*plan.Facts) {}, ""},
		"less is asked for": {"minimal", func(*plan.Facts) {}, ""},
		"nothing is said":   {"", func(*plan.Facts) {}, ""},
		"no such tier":      {"maximal", func(*plan.Facts) {}, "names no tier"},
		"no user namespaces": {"full", func(f *plan.Facts) {
			f.Missing = map[string]string{string(host.FeatureUserNS): "switched off; sysctl x=1"}
		}, "user namespaces: switched off; sysctl x=1"},
		"no Landlock":        {"full", func(f *plan.Facts) { f.Landlock = 0 }, "Landlock: "},
		"no Landlock at all": {"minimal", func(f *plan.Facts) { f.Landlock = 0 }, "Landlock: "},
		"a lower tier would do": {
			"container", func(f *plan.Facts) { f.Missing = map[string]string{string(host.FeatureUserNS): "no"} },
			"the tier container is not available in this version",
		},
	} {
		h := fixedHost()
		test.facts(&h.Facts)
		r, err := resolveWith(t, func(p *policy.Policy) { p.Require = test.require }, script(), h)
		switch {
		case test.want == "" && (err != nil || r.Tier != plan.TierFull):
			t.Errorf("%s: %v", name, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: got error %v, want %q", name, err, test.want)
		}
		var unsupported *plan.UnsupportedError
		if test.want != "" && test.require != "maximal" && (!errors.As(err, &unsupported) || !errors.Is(err, host.ErrUnsupported)) {
			t.Errorf("%s: the error is a %T", name, err)
		}
	}
}

func TestLimits(t *testing.T) {
	change := func(p *policy.Policy) {
		p.Limits.CPU, p.Limits.CPUQuota = 1500*time.Millisecond, 0.5
		p.Limits.BestEffort = nil
	}
	r, err := resolveWith(t, change, script(), fixedHost())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"rlimit RLIMIT_CPU soft=4 hard=5", "rlimit RLIMIT_FSIZE soft=67108864 hard=67108864",
		"rlimit RLIMIT_CORE soft=1 hard=1", "rlimit RLIMIT_RTPRIO soft=0 hard=0", "rlimit RLIMIT_NOFILE soft=256 hard=256",
	}
	if got := lines(r, "rlimit"); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if len(r.Warnings) > 0 {
		t.Errorf("warnings %q", r.Warnings)
	}

	h := fixedHost()
	h.Facts.CgroupMemory, h.Facts.CgroupPids, h.Facts.CgroupCPU = false, false, false
	_, err = resolveWith(t, change, script(), h)
	for _, limit := range []string{"limits.memory", "limits.pids", "limits.cpu:", "limits.cpu_quota"} {
		if err == nil || !strings.Contains(err.Error(), limit) {
			t.Errorf("without a control group the error does not name %s: %v", limit, err)
		}
	}
	r, err = resolveWith(t, func(p *policy.Policy) {
		change(p)
		p.Limits.BestEffort = []string{"memory", "pids", "cpu", "cpu_quota"}
	}, script(), h)
	if err != nil {
		t.Fatal(err)
	}
	want = slices.Insert(want, 3, "rlimit RLIMIT_NPROC soft=65 hard=65")
	want = append(want, "rlimit RLIMIT_DATA soft=536870912 hard=536870912")
	if got := lines(r, "rlimit"); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if len(r.Warnings) != 4 {
		t.Errorf("warnings %q", r.Warnings)
	}
}

func TestOneProcessNeedsNoControlGroupForCPU(t *testing.T) {
	h := fixedHost()
	h.Facts.CgroupCPU = false
	limits := func(pids int) func(*policy.Policy) {
		return func(p *policy.Policy) {
			p.Limits.CPU, p.Limits.Pids, p.Limits.BestEffort = time.Second, pids, nil
		}
	}
	if _, err := resolveWith(t, limits(1), script(), h); err != nil {
		t.Errorf("one process: %v", err)
	}
	if _, err := resolveWith(t, limits(2), script(), h); err == nil {
		t.Error("a second process doubles the CPU time")
	}
}

func TestTheHostsHardLimitsStay(t *testing.T) {
	h := fixedHost()
	h.Facts.HardLimits = map[string]uint64{"RLIMIT_NOFILE": 64, "RLIMIT_FSIZE": 1 << 40}
	r, err := resolveWith(t, nil, script(), h)
	if err != nil {
		t.Fatal(err)
	}
	if got := lines(r, "rlimit RLIMIT_NOFILE"); !slices.Equal(got, []string{"rlimit RLIMIT_NOFILE soft=64 hard=64"}) {
		t.Errorf("got %q", got)
	}
	if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0].Error(), "RLIMIT_NOFILE") {
		t.Errorf("warnings %q", r.Warnings)
	}
}

func TestASocketInAWritableDirectoryIsRefused(t *testing.T) {
	h := withPaths(fixedHost(), map[string]host.Path{
		"/srv/out":       {Real: "/srv/out", Dir: true, Owner: 1000},
		"/run/alias":     {Real: "/srv/out/deep", Dir: true},
		"/run/link.sock": {Real: "/srv/out/link.sock"},
	})
	for name, fits := range map[string]bool{
		"/run/job.sock": true, "/srv/output.sock": true,
		"/srv/out/job.sock": false, "/run/link.sock": false, "/run/alias/later.sock": false,
	} {
		_, err := resolveWith(t, func(p *policy.Policy) {
			p.Network.Unix = []string{name}
			p.Files.Write = []string{"/srv/out"}
		}, script(), h)
		if fits != (err == nil) || !fits && !strings.Contains(err.Error(), "network.unix[0]: "+name+" lies in /srv/out") {
			t.Errorf("%s: got error %v", name, err)
		}
	}
}

func TestACommandMayLeadToTheInterpreter(t *testing.T) {
	version := func(p *policy.Policy) { p.Python.Interpreter = "3.12" }
	command := plan.Invocation{Kind: plan.RunProgram, Argument: "/opt/alias/python3.11", Directory: "/srv/job"}
	h := fixedHost()
	_, err := resolveWith(t, version, command, h)
	problem, isProblem := errors.AsType[*policy.Problem](err)
	if !isProblem || problem.Key != "python.interpreter" {
		t.Errorf("another interpreter than the policy's: %v", err)
	}
	h.SameInterpreter = true
	r, err := resolveWith(t, version, command, h)
	if err != nil {
		t.Fatal(err)
	}
	if path, _ := r.Setup[len(r.Setup)-1].ExecArgs(); len(path) == 0 || path[0] != "/usr/bin/python3" {
		t.Errorf("runs %q", path)
	}
}

func TestTheInterpreterIsTheOneAskedFor(t *testing.T) {
	program := func(name string) plan.Invocation {
		return plan.Invocation{Kind: plan.RunProgram, Argument: name, Args: []string{"-V"}, Directory: "/srv/job"}
	}
	for name, fits := range map[string]bool{"python": true, "python3": true, "python3.12": true, "python3.1": false, "python2": false} {
		if _, err := resolveWith(t, nil, program(name), fixedHost()); (err == nil) != fits {
			t.Errorf("%s with Python 3.12: %v", name, err)
		}
	}
	h := fixedHost()
	h.Interpreter.Executable = ""
	if _, err := resolveWith(t, nil, script(), h); err == nil {
		t.Error("resolved without an interpreter")
	}
}

func TestPathBeginsWithTheInterpreter(t *testing.T) {
	h := fixedHost()
	h.Interpreter.Executable = "/srv/venv/bin/python"
	r, err := resolveWith(t, nil, script(), h)
	if err != nil {
		t.Fatal(err)
	}
	exec := lines(r, "exec")[0]
	for _, want := range []string{`"PATH=/srv/venv/bin:/usr/local/bin:/usr/bin:/bin"`, `args=["/srv/venv/bin/python" "/srv/job/job.py"`} {
		if !strings.Contains(exec, want) {
			t.Errorf("%s is missing in %s", want, exec)
		}
	}
}

func TestEnvironmentOfAResolvedPlan(t *testing.T) {
	r, err := resolveWith(t, func(p *policy.Policy) { p.Env.Set = map[string]string{"A": "b=c"} }, script(), fixedHost())
	if err != nil {
		t.Fatal(err)
	}
	env := r.Environment()
	if !slices.IsSorted(env) || !slices.Contains(env, "A=b=c") || !slices.Contains(env, "OMP_NUM_THREADS=8") {
		t.Errorf("got %q", env)
	}
}

func TestNumericLibrariesKnowTheLimits(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*policy.Policy)
		cpus   int
		want   string
	}{
		"processors":     {nil, 4, "4"},
		"pids":           {func(p *policy.Policy) { p.Limits.Pids = 12 }, 64, "3"},
		"few pids":       {func(p *policy.Policy) { p.Limits.Pids = 2 }, 64, "1"},
		"quota":          {func(p *policy.Policy) { p.Limits.CPUQuota = 1.5 }, 64, "2"},
		"no threads":     {func(p *policy.Policy) { p.Process.Threads = false }, 64, "1"},
		"the operator's": {func(p *policy.Policy) { p.Env.Set = map[string]string{"OMP_NUM_THREADS": "7"} }, 4, "7"},
		"nothing known":  {nil, 0, "1"},
	} {
		h := fixedHost()
		h.CPUs = test.cpus
		r, err := resolveWith(t, test.change, script(), h)
		if err != nil {
			t.Fatal(err)
		}
		if exec := lines(r, "exec")[0]; !strings.Contains(exec, `"OMP_NUM_THREADS=`+test.want+`"`) {
			t.Errorf("%s: want %s threads in %s", name, test.want, exec)
		}
	}
}

func TestScriptsThatAreNotFiles(t *testing.T) {
	for _, name := range []string{"/dev/stdin", "/proc/self/fd/0", "/srv/gone.py", "/srv/data"} {
		inv := plan.Invocation{Kind: plan.RunProgram, Argument: "python3", Args: []string{name}, Directory: "/srv/job"}
		h := withPaths(fixedHost(), map[string]host.Path{
			"/dev/stdin":      {Real: "/dev/pts/0"},
			"/proc/self/fd/0": {Real: "/etc/shadow"},
		})
		r, err := resolveWith(t, nil, inv, h)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, line := range lines(r, "bind", "landlock-path") {
			for _, shown := range []string{"/dev/pts", "shadow", "/srv/"} {
				if strings.Contains(line, shown) {
					t.Errorf("%s: %s", name, line)
				}
			}
		}
	}
}

func TestSpawnedProgramsShowOnlyWhenAskedFor(t *testing.T) {
	git := func(r *plan.Resolved) bool { return slices.Contains(lines(r, "bind"), "bind /usr/bin/git ro") }
	r, err := resolveWith(t, nil, script(), fixedHost())
	if err != nil || git(r) {
		t.Errorf("strict shows git: %v", err)
	}
	r, err = resolveWith(t, func(p *policy.Policy) { p.Process.Spawn = []string{"git"} }, script(), fixedHost())
	if err != nil || !git(r) {
		t.Errorf("process.spawn does not show git: %v", err)
	}
}

func TestExecutableIsWhatTheKernelLayersPermit(t *testing.T) {
	interpreter := []string{"/usr/bin/python3.12", "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"}
	for name, test := range map[string]struct {
		change func(*policy.Policy)
		more   []string
	}{
		"strict":          {nil, nil},
		"a program":       {func(p *policy.Policy) { p.Process.Spawn = []string{"git"} }, []string{"/usr/bin/git"}},
		"a directory":     {func(p *policy.Policy) { p.Files.Exec = []string{"/opt/tool"} }, []string{"/opt/tool", "/usr/bin/git"}},
		"temporary files": {func(p *policy.Policy) { p.Files.TmpExec = true }, []string{"/tmp"}},
	} {
		r, err := resolveWith(t, test.change, script(), fixedHost())
		if err != nil {
			t.Fatal(err)
		}
		want := slices.Sorted(slices.Values(append(slices.Clone(interpreter), test.more...)))
		if !slices.Equal(r.Executable, want) {
			t.Errorf("%s: got %q, want %q", name, r.Executable, want)
		}
	}
}

func TestResolvePassesTheHostsAddressesOn(t *testing.T) {
	r, err := resolveWith(t, nil, script(), fixedHost())
	if err != nil {
		t.Fatal(err)
	}
	want := netrule.HostFacts{Local: fixedHost().Addresses}
	if !slices.Equal(r.HostFacts.Local, want.Local) {
		t.Errorf("got %v", r.HostFacts)
	}
}
