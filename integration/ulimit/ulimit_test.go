package ulimit

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/internal/testenv"
	"github.com/pysandbox/pysandbox/supervisor"
)

// limited is one setting of ulimit(1p) as bash has it, and what a run under it
// prints; status 125 goes with a line on standard error.
type limited struct {
	option string
	status int
	says   string
}

func limits() []limited {
	return []limited{
		// A soft limit is raised for pysandbox; the program has the caller's, or
		// the policy's where that says more.
		{"-Sf 0", 0, `^FSIZE 67108864\n`},
		{"-Sn 3", 0, `NOFILE 256\n`},
		{"-Sn 50; ulimit -Hn 4096", 0, `NOFILE 256\n`},
		{"-Sv 300000", 0, `AS 307200000\n`},
		{"-Sd 60000", 0, `^FSIZE`},
		{"-Ss 64", 0, `STACK 131072\n`},
		{"-Ss 4096", 0, `STACK 4194304\n`},
		{"-Su 3", 0, `^FSIZE`},

		// A hard one is named, with the least that would do.
		{"-f 0", 125, `^pysandbox: a file may have only 0 bytes \(RLIMIT_FSIZE\).*\npysandbox: hint: ulimit -f 64, or higher\npysandbox: write the report: .*file too large\n$`},
		{"-n 3", 125, `^pysandbox: the number of open files is limited to 3 \(RLIMIT_NOFILE\).*\npysandbox: hint: ulimit -n \d+, or higher\n$`},
		{"-n 40", 125, `^pysandbox: only 40 files may be open at once \(RLIMIT_NOFILE\).*\npysandbox: hint: ulimit -n \d+, or higher\n$`},
		{"-v 100000", 125, `^pysandbox: the address space is limited to 102400000 bytes \(RLIMIT_AS\).*\npysandbox: hint: ulimit -v \d+, or higher\n$`},
		{"-d 60000", 125, `^pysandbox: the data of a process is limited to 61440000 bytes \(RLIMIT_DATA\).*\npysandbox: hint: ulimit -d \d+, or higher\n$`},
		{"-s 64", 125, `^pysandbox: the stack is limited to 65536 bytes \(RLIMIT_STACK\).*\npysandbox: hint: ulimit -s 128, or higher\n$`},
		{"-u 3", 125, `^pysandbox: the number of processes is limited to 3 \(RLIMIT_NPROC\).*\npysandbox: hint: ulimit -u \d+, or higher\n$`},

		// The least that does.
		{"-f 64", 0, `^FSIZE 65536\n`},
		{"-v 1572864", 0, `AS 1610612736\n`},
		{"-d 196608", 0, `^FSIZE`},
		{"-s 128", 0, `STACK 131072\n`},
		{"-u 40", 0, `^FSIZE`},
	}
}

const program = `
import resource
for name in "FSIZE", "NOFILE", "AS", "STACK":
    print(name, resource.getrlimit(getattr(resource, "RLIMIT_" + name))[0])
`

// aloneUser is a user of whom no other test has processes: they count.
const aloneUser = 61413

func TestUnderLowLimits(t *testing.T) {
	testenv.Need(t, testenv.DebianPython, testenv.UserNS, testenv.Landlock, testenv.Notify)
	users := map[string]uint32{"caller": uint32(os.Getuid())}
	if os.Getuid() == 0 {
		users["user"] = aloneUser
	}
	binary := testenv.Binary(t)
	for name, uid := range users {
		for _, l := range limits() {
			t.Run(name+" "+l.option, func(t *testing.T) { check(t, binary, uid, l) })
		}
	}
}

// TestALargePlanUnderALowLimit holds what is said where a file may be as large as a
// small plan, and the plan has the bootstrap of rules on imports.
func TestALargePlanUnderALowLimit(t *testing.T) {
	testenv.Need(t, testenv.DebianPython, testenv.UserNS, testenv.Landlock, testenv.Notify)
	rules := filepath.Join(t.TempDir(), "rules.json")
	if err := os.WriteFile(rules, []byte(`{"version": 1, "python": {"modules": {"deny": ["this"]}}}`), 0o644); err != nil {
		t.Fatal(err)
	}
	const tooLow = `^pysandbox: a file may have only 66560 bytes \(RLIMIT_FSIZE\); setting up a sandbox takes at least \d+\n`
	for limit, want := range map[string]string{"65": tooLow, "4096": "^$"} {
		cmd := exec.Command("/bin/bash", "-c", "ulimit -f "+limit+`; exec "$0" exec --policy "$1" --python=/usr/bin/python3 -c pass`, testenv.Binary(t), rules)
		cmd.Dir, cmd.Env = "/", []string{"PATH=/usr/bin:/bin"}
		said, _ := cmd.CombinedOutput()
		if !regexp.MustCompile(want).Match(said) {
			t.Errorf("ulimit -f %s: said %q, not %s", limit, said, want)
		}
	}
}

func check(t *testing.T, binary string, uid uint32, l limited) {
	dir := t.TempDir()
	report := filepath.Join(dir, "report")
	if err := errors.Join(os.WriteFile(report, []byte("an older report"), 0o644), os.Chown(dir, int(uid), -1), os.Chown(report, int(uid), -1)); err != nil {
		t.Fatal(err)
	}
	openUp(t, dir)
	cmd := exec.Command("/bin/bash", "-c", "ulimit "+l.option+`; exec "$0" exec --report "$2" --python=/usr/bin/python3 -c "$1" --report=other`, binary, program, report)
	cmd.Dir, cmd.Env = "/", []string{"PATH=/usr/bin:/bin"}
	if uid != uint32(os.Getuid()) {
		cmd = testenv.RunAs(t, uid, cmd)
	}
	var out, said strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &said
	status := 0
	if err := cmd.Run(); err != nil {
		exit, ended := errors.AsType[*exec.ExitError](err)
		if !ended {
			t.Fatal(err)
		}
		status = exit.ExitCode()
	}
	text := out.String()
	if l.status != 0 {
		text = said.String()
	}
	if status != l.status || !regexp.MustCompile(`(?s)`+l.says).MatchString(text) {
		t.Errorf("exit status %d\n%s%s\nwant %d and %s", status, out.String(), said.String(), l.status, l.says)
	}
	checkReport(t, report, l)
	if strings.Contains(said.String(), "goroutine") || strings.Contains(said.String(), "SIGABRT") {
		t.Error("the runtime has dumped its state")
	}
}

// checkReport holds that the report is this run's. Where a limit on the size of files
// lets none be written, there is none or an empty one.
func checkReport(t *testing.T, file string, l limited) {
	t.Helper()
	text, err := os.ReadFile(file)
	if strings.HasPrefix(l.option, "-f 0") && (errors.Is(err, fs.ErrNotExist) || len(text) == 0) {
		return
	}
	var report supervisor.Report
	if err := errors.Join(err, json.Unmarshal(text, &report)); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	outcome := supervisor.SetupFailed
	if l.status == 0 {
		outcome = supervisor.Exited
	}
	if report.Outcome != outcome || report.ExitCode != l.status || (report.Reason == "") != (l.status == 0) ||
		string(report.AppendJSON(nil))+"\n" != string(text) {
		t.Errorf("report %s", text)
	}
}

// TestTheReportOfARefusalFollowsNoLink has root write it where a link leads to a file of
// somebody's, a program's own flag name one, and the trail be the same file.
func TestTheReportOfARefusalFollowsNoLink(t *testing.T) {
	testenv.Need(t, testenv.Root)
	dir := t.TempDir()
	others, link := filepath.Join(dir, "others"), filepath.Join(dir, "link")
	if err := errors.Join(os.WriteFile(others, []byte("of somebody's"), 0o644), os.Symlink(others, link)); err != nil {
		t.Fatal(err)
	}
	for _, flags := range [][]string{
		{"--report=" + link},
		{"job.py", "--report=" + others},
		{"-c", "pass", "--report", others},
		{"--quiet", "--", "job", "--report", others},
		{"--no-such", "job.py", "--report=" + others},
		{"--audit", others, "--report=" + others},
	} {
		cmd := exec.Command("/bin/bash", append([]string{"-c", `ulimit -n 3; exec "$0" exec "$@"`, testenv.Binary(t)}, flags...)...)
		_ = cmd.Run()
		text, err := os.ReadFile(others)
		if cmd.ProcessState.ExitCode() != 125 || err != nil || string(text) != "of somebody's" {
			t.Errorf("%q: %v, %q, %v", flags, cmd.ProcessState, text, err)
		}
	}
}

// openUp lets every user pass the directories above one of the test's.
func openUp(t *testing.T, dir string) {
	t.Helper()
	for ; strings.HasPrefix(dir, os.TempDir()+"/"); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}
