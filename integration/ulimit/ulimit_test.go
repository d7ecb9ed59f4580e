package ulimit

import (
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/internal/testenv"
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
		{"-f 0", 125, `^pysandbox: a file may have only 0 bytes \(RLIMIT_FSIZE\).*\npysandbox: hint: ulimit -f 64, or higher\n$`},
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

func check(t *testing.T, binary string, uid uint32, l limited) {
	cmd := exec.Command("/bin/bash", "-c", "ulimit "+l.option+`; exec "$0" exec --python=/usr/bin/python3 -c "$1"`, binary, program)
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
	if strings.Contains(said.String(), "goroutine") || strings.Contains(said.String(), "SIGABRT") {
		t.Error("the runtime has dumped its state")
	}
}
