package shim

import (
	"encoding/json"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"testing"
)

// started is what a process that began as `pysandbox exec` sees of its start.
type started struct {
	First  int // processors that Go uses in the beginning
	Then   int // after UseAllProcessors
	Usual  int // without a lent variable
	Env    []string
	Lookup map[string]string
}

// TestMain is that process when its first argument is exec.
func TestMain(m *testing.M) {
	if len(os.Args) < 2 || os.Args[1] != "exec" {
		os.Exit(m.Run())
	}
	s := started{First: runtime.GOMAXPROCS(0), Env: os.Environ(), Lookup: make(map[string]string)}
	for _, name := range []string{"FIRST", "SECOND", "GOMAXPROCS"} {
		if value, ok := os.LookupEnv(name); ok {
			s.Lookup[name] = value
		}
	}
	UseAllProcessors()
	s.Then = runtime.GOMAXPROCS(0)
	runtime.SetDefaultGOMAXPROCS()
	s.Usual = runtime.GOMAXPROCS(0)
	if err := json.NewEncoder(os.Stdout).Encode(s); err != nil {
		panic(err)
	}
}

func start(t *testing.T, env ...string) started {
	t.Helper()
	command := exec.Command("/proc/self/exe", "exec")
	command.Env = env
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	var s started
	if err := json.Unmarshal(out, &s); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return s
}

// The start runs on one processor, what follows on all, and no variable is lost,
// changed or added.
func TestStartUsesOneProcessor(t *testing.T) {
	for _, env := range [][]string{
		{"FIRST=1", "SECOND=a=b"},
		{"SECOND=", "FIRST=3"},
		{"GODEBUG=", "GOGC=50", "FIRST=x", "SECOND=y"},
		{"FIRST=one\nline", "SECOND=é"},
	} {
		s := start(t, env...)
		if s.First != 1 || s.Then != s.Usual {
			t.Errorf("%q: %d processors, then %d; want 1, then %d", env, s.First, s.Then, s.Usual)
		}
		if slices.Sort(s.Env); !slices.Equal(s.Env, slices.Sorted(slices.Values(env))) {
			t.Errorf("the environment %q became %q", env, s.Env)
		}
		if _, seen := s.Lookup["GOMAXPROCS"]; seen || len(s.Lookup) != 2 {
			t.Errorf("%q: looked up %q", env, s.Lookup)
		}
	}
}

// What Go itself would read of the caller's environment has no effect, and is there
// for the policy to pass on.
func TestGoReadsNothingOfTheCallers(t *testing.T) {
	for _, env := range [][]string{
		{"GOMEMLIMIT=12 parsecs", "FIRST=1"},
		{"FIRST=1", "GOMAXPROCS=1000000000"},
		{"FIRST=1", "GOMAXPROCS=257"},
		{"FIRST=1", "GODEBUG=inittrace=1,schedtrace=1", "GOTRACEBACK=crash", "GOGC=off"},
		{"GOGC=1", "GOMEMLIMIT=1"},
	} {
		command := exec.Command("/proc/self/exe", "exec")
		command.Env = env
		out, err := command.CombinedOutput()
		if err != nil {
			t.Errorf("%q: %v: %s", env, err, out)
			continue
		}
		var s started
		if err := json.Unmarshal(out, &s); err != nil {
			t.Errorf("%q: %v in %s", env, err, out)
		}
		if slices.Sort(s.Env); !slices.Equal(s.Env, slices.Sorted(slices.Values(env))) {
			t.Errorf("the environment %q became %q", env, s.Env)
		}
	}
}

// A number of the caller's holds, and where no variable can be lent nothing is
// said.
func TestStartLeavesTheEnvironmentAlone(t *testing.T) {
	s := start(t, "FIRST=1", "GOMAXPROCS=3", "SECOND=2")
	if s.First != 3 || s.Then != 3 || s.Lookup["GOMAXPROCS"] != "3" {
		t.Errorf("GOMAXPROCS=3: %d processors, then %d, environment %q", s.First, s.Then, s.Env)
	}
	for _, env := range [][]string{{}, {"GOGC=50"}} {
		s := start(t, env...)
		if s.First != s.Usual || s.Then != s.Usual || len(s.Env) != len(env) {
			t.Errorf("%q: %d processors, then %d, environment %q", env, s.First, s.Then, s.Env)
		}
	}
}
