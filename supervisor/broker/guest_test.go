package broker

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/audit"
	"github.com/pysandbox/pysandbox/audit/audittest"
	"github.com/pysandbox/pysandbox/internal/testenv"
	"github.com/pysandbox/pysandbox/seccomp"
	"github.com/pysandbox/pysandbox/seccomp/libseccomp"
)

const python = "/usr/bin/python3"

// keepSockets is a variable that is set where no sockets can be made inside.
const keepSockets = "BROKER_TEST_KEEP"

// fullPool is a variable that is set where nothing more may wait for the pool.
const fullPool = "BROKER_TEST_FULL_POOL"

// filter is the filter of production, with every layer.
var filter = sync.OnceValues(func() (seccomp.FilterSpec, error) {
	var layers []string
	for _, layer := range seccomp.LayerNames() {
		layers = append(layers, layer.Name)
	}
	return seccomp.Layers(layers...)
})

var filterCode = sync.OnceValues(func() ([]byte, error) {
	spec, err := filter()
	if err != nil {
		return nil, err
	}
	program, err := libseccomp.Compile(spec)
	if err != nil {
		return nil, err
	}
	var code []byte
	for _, i := range program {
		code = binary.NativeEndian.AppendUint16(code, i.Code)
		code = append(code, i.Jt, i.Jf)
		code = binary.NativeEndian.AppendUint32(code, i.K)
	}
	return code, nil
})

// guest is one sandbox of a test.
type guest struct {
	cmd      *exec.Cmd
	broker   *Broker
	records  audittest.Recorder
	output   bytes.Buffer
	private  string // a tmpfs of its own
	cancel   context.CancelFunc
	served   chan error
	flags    uint64
	listener *seccomp.Listener
}

// closeListener closes the listener once.
func (g *guest) closeListener() {
	if g.listener != nil {
		_ = g.listener.Close()
		g.listener = nil
	}
}

// startGuest starts a program in a sandbox. What is left of it ends with the
// test.
func startGuest(tb testing.TB, config Config, argv ...string) *guest {
	tb.Helper()
	return startGuestWith(tb, config, seccomp.LoadFlags(), argv...)
}

func startGuestWith(tb testing.TB, config Config, flags uint64, argv ...string) *guest {
	tb.Helper()
	testenv.Need(tb, needs()...)
	g := &guest{private: privateDir(tb), served: make(chan error, 1), flags: flags}
	spec, err := filter()
	if err != nil {
		tb.Fatal(err)
	}
	config.Filter = &spec
	config.LandlockTCP = true
	config.Socket = g.freshSocket
	if g.broker, err = New(config, &g.records); err != nil {
		tb.Fatal(err)
	}
	if os.Getenv(keepSockets) != "" {
		g.broker.config.Socket = nil
	}
	if os.Getenv(fullPool) != "" {
		g.broker.pool.jobs = nil // which takes nothing
	}
	g.listener = g.launch(tb, argv)
	listener := g.listener
	ctx, cancel := context.WithCancel(tb.Context())
	g.cancel = cancel
	go func() { g.served <- g.broker.Serve(ctx, listener, func() {}) }()
	tb.Cleanup(func() {
		_ = g.cmd.Process.Kill()
		g.closeListener()
	})
	return g
}

// launch clones the guest, takes its listener, and lets it go on.
func (g *guest) launch(tb testing.TB, argv []string) *seccomp.Listener {
	tb.Helper()
	code, err := filterCode()
	if err != nil {
		tb.Fatal(err)
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		tb.Fatal(err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "control"), os.NewFile(uintptr(pair[1]), "control")
	defer ours.Close()
	defer theirs.Close()
	args := append([]string{"3", strconv.FormatUint(g.flags, 10), g.private}, argv...)
	g.cmd = exec.Command(program("guest"), args...)
	g.cmd.Stdin = bytes.NewReader(code)
	g.cmd.Stdout, g.cmd.Stderr = &g.output, &g.output
	g.cmd.ExtraFiles = []*os.File{theirs}
	g.cmd.Env = append(os.Environ(), "PRIVATE="+g.private, "PATH=/usr/bin:/bin")
	g.cmd.SysProcAttr = &syscall.SysProcAttr{
		AmbientCaps: []uintptr{unix.CAP_NET_ADMIN, unix.CAP_SYS_ADMIN},
		Pdeathsig:   unix.SIGKILL,
	}
	ownNamespaces(g.cmd, unix.CLONE_NEWUSER|unix.CLONE_NEWNS|unix.CLONE_NEWNET, insideUID)
	if err := g.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	theirs.Close()
	var number [4]byte
	if n, err := ours.Read(number[:]); n != len(number) {
		_ = g.cmd.Wait()
		tb.Fatalf("the guest did not start: %v\n%s", err, g.output.String())
	}
	pidfd, err := unix.PidfdOpen(g.cmd.Process.Pid, 0)
	if err != nil {
		tb.Fatal(err)
	}
	defer unix.Close(pidfd)
	fd, err := unix.PidfdGetfd(pidfd, int(binary.NativeEndian.Uint32(number[:])), 0)
	if err != nil {
		tb.Fatal(err)
	}
	listener, err := seccomp.NewListener(fd)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := ours.Write([]byte{1}); err != nil {
		tb.Fatal(err)
	}
	return listener
}

// patience bounds the run of one guest, whose races take some tens of microseconds
// for each try.
func patience() time.Duration { return time.Minute + time.Duration(raceTries())*time.Millisecond }

// wait waits for the end of the guest and of its broker, and returns its output.
func (g *guest) wait(tb testing.TB) string {
	tb.Helper()
	timer := time.AfterFunc(patience(), func() { _ = g.cmd.Process.Kill() })
	err := g.cmd.Wait()
	if !timer.Stop() {
		tb.Errorf("the guest did not end in %v", patience())
	}
	g.cancel()
	if served := <-g.served; served != nil {
		tb.Errorf("serve: %v", served)
	}
	if closed := g.broker.Close(); closed != nil {
		tb.Errorf("close: %v", closed)
	}
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || !exit.Exited()) {
		tb.Errorf("guest: %v\n%s", err, g.output.String())
	}
	return g.output.String()
}

// runPython runs a Python program in a sandbox.
func runPython(tb testing.TB, config Config, text string, args ...string) (string, []audit.Record) {
	tb.Helper()
	g := startGuest(tb, config, pythonArgs(text, args)...)
	return g.wait(tb), g.records.All()
}

// runNative runs the same program outside.
func runNative(tb testing.TB, text string, args ...string) string {
	tb.Helper()
	argv := pythonArgs(text, args)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "PRIVATE="+privateDir(tb))
	output, err := cmd.CombinedOutput()
	if err != nil {
		tb.Fatalf("native: %v\n%s", err, output)
	}
	return string(output)
}

// pythonArgs takes a program as text, or as the name of a file in testdata.
func pythonArgs(text string, args []string) []string {
	argv := []string{python, "-I", "-S"}
	if strings.HasSuffix(text, ".py") {
		argv = append(argv, filepath.Join("testdata", text))
	} else {
		argv = append(argv, "-c", text)
	}
	return append(argv, args...)
}

func privateDir(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("/tmp", "private-")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}
