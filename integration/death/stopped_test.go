package death

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// TestAProgramThatIsStoppedBeforeItStarts stops and continues the program's process
// while it waits for the word to go: PID 1 hears of that, and the run goes on. The
// supervisor is held meanwhile, long enough for all else that PID 1 has begun to end.
func TestAProgramThatIsStoppedBeforeItStarts(t *testing.T) {
	testenv.Need(t, testenv.Root, testenv.UserNS, testenv.Landlock, testenv.Notify) // to see what PID 1 has begun
	binary := testenv.Binary(t)
	for _, uid := range testenv.Users() {
		t.Run(fmt.Sprintf("uid %d", uid), func(t *testing.T) {
			for range 50 {
				if stopBeforeStart(t, binary, uid) {
					return
				}
			}
			t.Fatal("the supervisor was never caught before the word to go")
		})
	}
}

// stopBeforeStart is false where the supervisor was not held in time.
func stopBeforeStart(t *testing.T, binary string, uid uint32) (caught bool) {
	t.Helper()
	cmd := command(t, binary, uid, fmt.Sprintf("stopped-%d-%d", os.Getpid(), time.Now().UnixNano()))
	cmd.Args = []string{cmd.Path, "exec", "--quiet", "-c", "print('ran')"}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	program := 0
	for deadline := time.Now().Add(2 * time.Second); program == 0 && time.Now().Before(deadline); {
		program = secondOf(cmd.Process.Pid)
	}
	_ = cmd.Process.Signal(unix.SIGSTOP)
	<-time.After(100 * time.Millisecond)
	runs, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", program))
	if caught = program != 0 && runs == cmd.Path; caught {
		for _, signal := range []unix.Signal{unix.SIGSTOP, unix.SIGCONT} {
			if err := unix.Kill(program, signal); err != nil {
				t.Error(err)
			}
			<-time.After(20 * time.Millisecond)
		}
	}
	_ = cmd.Process.Signal(unix.SIGCONT)
	err := cmd.Wait()
	if caught && (err != nil || said.String() != "ran\n") {
		t.Errorf("the run printed %q (%v)", said.String(), err)
	}
	return caught
}

// secondOf is the host's number of the process that is 2 in the sandbox, or 0.
func secondOf(supervisor int) int {
	children, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", supervisor))
	for _, first := range fields(children...) {
		for _, pid := range fields(fmt.Sprintf("/proc/%s/task/%s/children", first, first)) {
			status, _ := os.ReadFile("/proc/" + pid + "/status")
			_, rest, _ := strings.Cut(string(status), "\nNSpid:")
			line, _, _ := strings.Cut(rest, "\n")
			if strings.HasSuffix(line, "\t2") {
				number, _ := strconv.Atoi(pid)
				return number
			}
		}
	}
	return 0
}

// fields are the words of files, which may be gone.
func fields(files ...string) []string {
	var words []string
	for _, file := range files {
		text, _ := os.ReadFile(file)
		words = append(words, strings.Fields(string(text))...)
	}
	return words
}
