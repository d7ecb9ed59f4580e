package seccomp_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/internal/testenv"
	"github.com/pysandbox/pysandbox/seccomp"
)

const python = "/usr/bin/python3"

// TestAttacks runs each program of testdata/attacks twice: free, where it must
// have its effect, and under the filter of every layer that a policy leads to by
// itself, where it must end as its head says and have none.
func TestAttacks(t *testing.T) {
	testenv.Need(t, testenv.DebianPython, testenv.Root)
	spec := layers(t, "base", "threads", "ipc", "files_write", "subprocess", "net", "server", "numpy")
	preamble := readText(t, "testdata/attacks/_preamble.py")
	files, err := filepath.Glob("testdata/attacks/[a-z]*.py")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d attacks, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".py"), func(t *testing.T) {
			t.Parallel()
			source := readText(t, file)
			if needed := header(source, "feature"); needed != "" {
				testenv.Need(t, testenv.Feature(needed))
			}
			argv := []string{python, "-I", "-S", "-c", preamble + source}
			checkControl(t, source, runFree(t, argv...))
			checkAttack(t, source, runConfined(t, spec, argv...))
		})
	}
}

func checkControl(t *testing.T, source string, control outcome) {
	t.Helper()
	want := []string{"reached"}
	if named := header(source, "control"); named != "" {
		want = strings.Split(named, " or ")
	}
	first, _, _ := strings.Cut(control.output, "\n")
	if control.status != "0" || !slices.Contains(want, first) {
		t.Fatalf("free, the attack gives %q and ends with %s; it must give %q", control.output, control.status, want)
	}
}

func checkAttack(t *testing.T, source string, got outcome) {
	t.Helper()
	wantOutput, wantStatus := header(source, "wants")+"\n", "0"
	if strings.HasPrefix(wantOutput, "SIG") {
		wantOutput, wantStatus = "", strings.TrimSpace(wantOutput)
	}
	if got.output != wantOutput || got.status != wantStatus {
		t.Errorf("it gives %q and ends with %s, want %q and %s", got.output, got.status, wantOutput, wantStatus)
	}
	reports := strings.Split(header(source, "reports"), ", ")
	switch {
	case reports[0] == "" && len(got.reported) > 0:
		t.Errorf("the supervisor hears of %v, want nothing", got.reported)
	case reports[0] != "" && (len(got.reported) != 1 || !slices.Contains(reports, got.reported[0])):
		t.Errorf("the supervisor hears of %v, want one of %v", got.reported, reports)
	}
}

// header returns what a line such as "# wants: EPERM" says, or "".
func header(source, name string) string {
	for line := range strings.Lines(source) {
		if value, found := strings.CutPrefix(line, "# "+name+": "); found {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func readText(tb testing.TB, file string) string {
	tb.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	return string(content)
}

// TestDeadSupervisorMeansNoSuchCall holds that what the supervisor would only
// refuse stays refused when it is gone.
func TestDeadSupervisorMeansNoSuchCall(t *testing.T) {
	testenv.Need(t, testenv.Notify)
	program, err := compiled(layers(t, "base", "ipc", "net", "threads"))
	if err != nil {
		t.Fatal(err)
	}
	calls := []string{"ptrace", "mount", "unshare", "connect", "bpf"}
	failed := make(map[string]error)
	listener, done := confined(t, program, func() {
		for _, call := range calls {
			number, _ := seccomp.Number(call)
			failed[call] = plainCall(number)
		}
	})
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	<-done
	for _, call := range calls {
		if failed[call] == nil || failed[call].Error() != "function not implemented" {
			t.Errorf("%s gives %v", call, failed[call])
		}
	}
}
