package container

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// TestRootWithFewCapabilitiesIsRefused begins a sandbox that its supervisor may not
// kill, and that must end nevertheless.
func TestRootWithFewCapabilitiesIsRefused(t *testing.T) {
	testenv.Need(t, testenv.Root, testenv.Setpriv, testenv.UserNS, testenv.Landlock, testenv.Notify, testenv.DebianPython)
	program := []string{testenv.Binary(t), "exec", "-c", "print('it runs')"}
	run := func(prefix ...string) (string, error) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		line := append(prefix, program...)
		output, err := exec.CommandContext(ctx, line[0], line[1:]...).CombinedOutput()
		return string(output), errors.Join(err, ctx.Err())
	}
	if output, err := run(); err != nil || output != "it runs\n" {
		t.Fatalf("with every capability: %v\n%s", err, output)
	}
	output, err := run("setpriv", "--bounding-set=-kill,-sys_admin")
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 125 || !strings.Contains(output, "without CAP_KILL, CAP_SYS_ADMIN,") {
		t.Errorf("with few: %v\n%s", err, output)
	}
}
