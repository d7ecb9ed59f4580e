package network

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// daemon is a server of another project that a test starts.
type daemon struct {
	command []string
	address string // host and port at which it serves once it is up
	atPeer  bool   // in the peer's network, as root; else in the host's, as Nobody
}

// start starts the daemon and waits until it listens. It ends with the test.
func (d daemon) start(t *testing.T) {
	t.Helper()
	cmd := exec.Command(d.command[0], d.command[1:]...)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"}
	start := func() error { return cmd.Start() }
	dial := d.dial
	if d.atPeer {
		start = func() error { return thePeer.Do(cmd.Start) }
	} else {
		testenv.RunAs(t, testenv.Nobody, cmd)
	}
	if err := start(); err != nil {
		t.Fatalf("start %v: %v", d.command, err)
	}
	status := make(chan error, 1)
	ended := make(chan struct{})
	go func() {
		status <- cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(unix.SIGTERM)
		select {
		case <-ended:
		case <-time.After(patience):
			_ = cmd.Process.Kill()
			t.Errorf("%s did not end when it was told to", d.command[0])
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		err := dial(ctx)
		if err == nil {
			return
		}
		select {
		case <-ended:
			t.Fatalf("%s ended: %v\n%s", d.command[0], <-status, output.Bytes())
		case <-ctx.Done():
			t.Fatalf("%s does not listen at %s: %v", d.command[0], d.address, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (d daemon) dial(ctx context.Context) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", d.address)
	if err != nil {
		return err
	}
	return conn.Close()
}

// prepare runs a command that must succeed, as Nobody.
func prepare(t *testing.T, command ...string) {
	t.Helper()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"}
	if out, err := testenv.RunAs(t, testenv.Nobody, cmd).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, out)
	}
}

// dirOf makes a directory for files of a daemon that runs as Nobody.
func dirOf(t *testing.T) string {
	t.Helper()
	dir := testenv.WorldDir(t)
	if err := os.Chown(dir, testenv.Nobody, testenv.Nobody); err != nil {
		t.Fatal(err)
	}
	return dir
}

func writeFile(t *testing.T, name, format string, values ...any) string {
	t.Helper()
	if err := os.WriteFile(name, fmt.Appendf(nil, format, values...), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}
