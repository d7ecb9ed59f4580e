package namespaces_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/namespaces"
)

// completeProgram is the shortest program that confines.
func completeProgram(t *testing.T) namespaces.Program {
	t.Helper()
	exec, err := namespaces.ExecOp("/usr/bin/python3", []string{"python3", "-c", ""}, []string{"HOME=/"})
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat(
		namespaces.Program{
			{Code: namespaces.OpMkdir, S1: "/srv", N1: 0o755},
			{Code: namespaces.OpBind, S1: "/usr", S2: "/usr", Flags: namespaces.FlagReadOnly},
			{Code: namespaces.OpTmpfs, S1: "/tmp", N1: 1 << 20, N3: 0o1777},
			{Code: namespaces.OpLocalRoutes},
			{Code: namespaces.OpPivot},
			{Code: namespaces.OpRootReadOnly},
			{Code: namespaces.OpJoinGroup},
			{Code: namespaces.OpCgroupNS},
			{Code: namespaces.OpRlimit, N1: 4, N2: 1, N3: 1},
			{Code: namespaces.OpNoNewPrivs},
			{Code: namespaces.OpDropCaps},
		},
		namespaces.Landlock{Paths: []namespaces.LandlockPath{{Path: "/tmp", Rights: namespaces.RightsReadWrite}}}.Operations(7),
		namespaces.Program{
			{Code: namespaces.OpReceiveFDs, N1: 1},
			{Code: namespaces.OpSpawn},
			{Code: namespaces.OpStdio, N1: 0, N2: 1, N3: 2},
			{Code: namespaces.OpPassFD, N1: 3, N2: 3},
			{Code: namespaces.OpRlimit, N1: 7, N2: 64, N3: 64},
			{Code: namespaces.OpChdir, S1: "/tmp"},
			{Code: namespaces.OpProbe, S1: namespaces.ProbePath},
			{Code: namespaces.OpFilter, Data: make([]byte, 8)},
			exec,
		},
	)
}

func TestValidateAcceptsACompleteProgram(t *testing.T) {
	if err := completeProgram(t).Validate(); err != nil {
		t.Error(err)
	}
}

// TestValidateHoldsTheOrder swaps each operation with its neighbour. What is
// still accepted is listed: operations of one phase.
func TestValidateHoldsTheOrder(t *testing.T) {
	free := []string{"mkdir bind", "bind tmpfs", "tmpfs local-routes"}
	program := completeProgram(t)
	for i := range len(program) - 1 {
		swapped := slices.Clone(program)
		swapped[i], swapped[i+1] = swapped[i+1], swapped[i]
		pair := program[i].Code.String() + " " + program[i+1].Code.String()
		if err := swapped.Validate(); (err == nil) != slices.Contains(free, pair) {
			t.Errorf("%s swapped: %v", pair, err)
		}
	}
}

// TestValidateNeedsEveryLayer leaves out one operation at a time, and doubles it.
func TestValidateNeedsEveryLayer(t *testing.T) {
	optional := []string{"mkdir", "bind", "tmpfs", "local-routes", "join-group", "cgroup-namespace", "rlimit", "landlock-path", "receive-descriptors", "pass-fd"}
	program := completeProgram(t)
	for i, op := range program {
		name := op.Code.String()
		without := slices.Delete(slices.Clone(program), i, i+1)
		if err := without.Validate(); (err == nil) != slices.Contains(optional, name) {
			t.Errorf("without %s: %v", name, err)
		}
		twice := slices.Insert(slices.Clone(program), i, op)
		if err := twice.Validate(); (err == nil) != slices.Contains(optional, name) {
			t.Errorf("with two %s: %v", name, err)
		}
	}
}

func TestValidateChecksOperations(t *testing.T) {
	for want, op := range map[string]namespaces.Op{
		"not an absolute":       {Code: namespaces.OpMkdir, S1: "srv"},
		"clean path":            {Code: namespaces.OpMkdir, S1: "/srv/../etc"},
		`"/a/" is not`:          {Code: namespaces.OpBind, S1: "/a/", S2: "/a"},
		`"" is not`:             {Code: namespaces.OpBind, S1: "/a"},
		"holds a NUL":           {Code: namespaces.OpSymlink, S1: "/a", S2: "b\x00"},
		"is empty":              {Code: namespaces.OpSymlink, S1: "/a"},
		"longer than":           {Code: namespaces.OpTmpfs, S1: "/" + strings.Repeat("a", 5000)},
		"it does nothing":       {},
		"the stage does not":    {Code: namespaces.OpCount},
		"above the hard limit":  {Code: namespaces.OpRlimit, N2: 2, N3: 1},
		"no filter of 1 to 409": {Code: namespaces.OpFilter, Data: make([]byte, 7)},
		"its own name":          {Code: namespaces.OpExec, S1: "/a"},
		"holds 1 strings":       {Code: namespaces.OpExec, S1: "/a", Data: []byte("a\x00"), N1: 1, N2: 1},
		"holds 0 strings":       {Code: namespaces.OpExec, S1: "/a", Data: []byte("a"), N1: 1},
	} {
		program := completeProgram(t)
		i := slices.IndexFunc(program, func(o namespaces.Op) bool { return o.Code == op.Code })
		if i < 0 {
			program = slices.Insert(program, 0, op)
		} else {
			program[i] = op
		}
		if err := program.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got error %v, want %q", op, err, want)
		}
	}
}

func TestExecOpRefusesNUL(t *testing.T) {
	if _, err := namespaces.ExecOp("/a", []string{"a\x00b"}, nil); err == nil {
		t.Error("an argument with a NUL was accepted; the program would get two")
	}
	if _, err := namespaces.ExecOp("/a", []string{"a"}, []string{"A=\x00LD_PRELOAD=x"}); err == nil {
		t.Error("a variable with a NUL was accepted; the program would get two")
	}
}
