package death

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// TestAClientThatCannotBeGreeted holds that a run ends whose client has gone, or reads
// nothing, before the sandbox is there. The control is a client that gets its greeting.
func TestAClientThatCannotBeGreeted(t *testing.T) {
	testenv.Need(t, testenv.UserNS, testenv.Landlock, testenv.Notify)
	for name, test := range map[string]struct {
		spoil func(t *testing.T, ours, theirs int)
		want  string
	}{
		"control": {func(*testing.T, int, int) {}, ""},
		"gone":    {func(t *testing.T, ours, _ int) { closeOne(t, ours) }, "greet the client on the capability channel: broken pipe"},
		"full":    {func(t *testing.T, _, theirs int) { fill(t, theirs) }, "greet the client on the capability channel: resource temporarily unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			theirs := os.NewFile(uintptr(pair[1]), "client")
			test.spoil(t, pair[0], pair[1])
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			if test.want == "" {
				go func() { // which ends the run: nobody answers any more
					_, _ = unix.Read(pair[0], make([]byte, 64))
					_ = unix.Close(pair[0])
				}()
			}
			cmd := exec.CommandContext(ctx, testenv.Binary(t), "exec", "--capabilities=fd:3", "-c", "pass")
			cmd.ExtraFiles = []*os.File{theirs}
			var said bytes.Buffer
			cmd.Stderr = &said
			err = cmd.Run()
			_ = theirs.Close()
			if ctx.Err() != nil {
				t.Fatalf("the run does not end (%v)", err)
			}
			if refused := cmd.ProcessState.ExitCode() == 125; refused != (test.want != "") || !strings.Contains(said.String(), test.want) {
				t.Errorf("exit status %d, which said %q, not %q", cmd.ProcessState.ExitCode(), said.String(), test.want)
			}
		})
	}
}

func closeOne(t *testing.T, fd int) {
	t.Helper()
	if err := unix.Close(fd); err != nil {
		t.Fatal(err)
	}
}

// fill fills what the other end has not read.
func fill(t *testing.T, fd int) {
	t.Helper()
	for frame := make([]byte, 1024); ; {
		if err := unix.Sendto(fd, frame, unix.MSG_DONTWAIT, nil); err != nil {
			return
		}
	}
}
