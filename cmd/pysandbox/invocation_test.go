package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pysandbox/pysandbox/plan"
)

func TestSeparate(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"", ""},
		{"job.py -c x", "job.py -c x"},
		{"-c x", "-c x --"},
		{"-c x -m y --quiet", "-c x -- -m y --quiet"},
		{"-cx a", "-cx -- a"},
		{"-m pkg -- a", "-m pkg -- -- a"},
		{"--timeout 3s -c x a", "--timeout 3s -c x -- a"},
		{"--timeout -c -c x a", "--timeout -c -c x -- a"},
		{"--timeout=3s -qc x a", "--timeout=3s -qc x -- a"},
		{"-qcx a", "-qcx -- a"},
		{"--code x --quiet", "--code x -- --quiet"},
		{"--module=x --quiet", "--module=x -- --quiet"},
		{"--allow-spawn -c x", "--allow-spawn -c x --"},
		{"--allow-spawn=git -c x", "--allow-spawn=git -c x --"},
		{"-- -c x", "-- -c x"},
		{"- -c x", "- -c x"},
		{"-c", "-c"},
		{"--unknown -c x", "--unknown -c x --"},
	} {
		cmd := newExec(&ui{}, new(int))
		cmd.InitDefaultHelpFlag()
		args := strings.Fields(c.line)
		before := slices.Clone(args)
		if got := strings.Join(separate(cmd.Flags(), args), " "); got != c.want {
			t.Errorf("%q: got %q, want %q", c.line, got, c.want)
		}
		if !slices.Equal(args, before) {
			t.Errorf("%q: the caller's arguments have changed to %q", c.line, args)
		}
	}
}

// parse reads a command line of exec as far as the invocation.
func parse(t *testing.T, args ...string) (plan.Invocation, error) {
	t.Helper()
	var (
		program programFlags
		layer   policyFlags
		inv     plan.Invocation
	)
	cmd := &cobra.Command{
		SilenceErrors: true, SilenceUsage: true, Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			inv, err = program.invocation(cmd, args)
			return err
		},
	}
	layer.register(cmd.Flags())
	program.register(cmd.Flags())
	cmd.SetArgs(separate(cmd.Flags(), args))
	err := cmd.Execute()
	return inv, err
}

func TestInvocation(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "job.py", "pass")
	for _, c := range []struct {
		line     string
		kind     plan.CommandKind
		argument string // "…" stands for an absolute path to the script
		args     string
	}{
		{"job.py a --timeout=1s -- b", plan.RunScript, "…", "a --timeout=1s -- b"},
		{"./job.py", plan.RunScript, "…", ""},
		{"--timeout 1s job.py", plan.RunScript, "…", ""},
		{"-c pass -- a", plan.RunCode, "pass", "-- a"},
		{"-m pkg.mod -c", plan.RunModule, "pkg.mod", "-c"},
		{"-- python3 -u x", plan.RunProgram, "python3", "-u x"},
		{"-- -odd", plan.RunProgram, "-odd", ""},
		{"- a", plan.RunInput, "", "a"},
		{"", plan.RunInput, "", ""},
	} {
		inv, err := parse(t, strings.Fields(c.line)...)
		if err != nil {
			t.Errorf("%q: %v", c.line, err)
			continue
		}
		if c.argument == "…" {
			c.argument = inv.Directory + "/job.py"
		}
		if inv.Kind != c.kind || inv.Argument != c.argument || strings.Join(inv.Args, " ") != c.args {
			t.Errorf("%q: got kind %d, %q with %q", c.line, inv.Kind, inv.Argument, inv.Args)
		}
	}
}

func TestInvocationKeepsEmptyArguments(t *testing.T) {
	inv, err := parse(t, "-c", "", "", "a b")
	if err != nil {
		t.Fatal(err)
	}
	if inv.Kind != plan.RunCode || inv.Argument != "" || !slices.Equal(inv.Args, []string{"", "a b"}) {
		t.Errorf("got %+v", inv)
	}
}

func TestCheckScript(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "job.py", "pass")
	if err := checkScript("job.py", false); err != nil {
		t.Errorf("a readable script: %v", err)
	}
	for _, c := range []struct {
		path, problem string
		status        int
	}{
		{"nothere.py", "no such file", 127},
		{"job.py/x.py", "not a directory", 126},
		{".", "is a directory", 126},
		{"/dev/null", "is not a regular file", 126},
	} {
		err := checkScript(c.path, false)
		if err == nil || !strings.Contains(err.Error(), c.problem) || failureStatus(err) != c.status {
			t.Errorf("%s: got %v with status %d, want %q with %d", c.path, err, failureStatus(err), c.problem, c.status)
		}
	}
}

// TestADirectoryIsRunByItsScript: the words of a command would be refused under a
// policy with rules on modules.
func TestADirectoryIsRunByItsScript(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir("the app", 0o755); err != nil {
		t.Fatal(err)
	}
	var f *failure
	const want = "--allow-read='the app' 'the app/__main__.py'"
	if err := checkScript("the app", false); !errors.As(err, &f) || !strings.HasSuffix(f.hint, want) {
		t.Errorf("%+v, want %q", f, want)
	}
}

// TestFlagsAlone holds the lists of flags without and with a value that the constructor
// goes by.
func TestFlagsAlone(t *testing.T) {
	source, err := os.ReadFile("../../cpython-shim/refusal.c")
	if err != nil {
		t.Fatal(err)
	}
	cmd := newExec(&ui{}, new(int))
	cmd.InitDefaultHelpFlag()
	var want, valued []string
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		name := fmt.Sprintf("%q", "--"+flag.Name)
		switch {
		case flag.NoOptDefVal != "":
			want = append(want, name)
		case flag.Name != flagCode && flag.Name != flagModule:
			valued = append(valued, name)
		}
	})
	slices.Sort(valued)
	_, list, _ := strings.Cut(string(source), "valued[] = {")
	list, _, _ = strings.Cut(list, "};")
	if have := strings.Fields(strings.ReplaceAll(list, ",", " ")); !slices.Equal(have, valued) {
		t.Errorf("cpython-shim/refusal.c has %q, want %q", have, valued)
	}
	if list := "alone[] = { " + strings.Join(want, ", ") + " };"; !strings.Contains(string(source), list) {
		t.Errorf("cpython-shim/refusal.c lacks %s", list)
	}
}
