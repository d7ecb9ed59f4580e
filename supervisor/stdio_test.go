package supervisor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// leaks fails the test if it leaves goroutines of ours or descriptors behind.
func leaks(t *testing.T) {
	t.Helper()
	_, _ = words(cgroupRoot, "none")        // the cgroup library keeps the root open
	if r, w, err := os.Pipe(); err == nil { // and the runtime what it polls with
		_, _ = r.Close(), w.Close()
	}
	before := descriptors(t)
	t.Cleanup(func() {
		var stacks []byte
		gone := func() bool {
			stacks = make([]byte, 1<<20)
			stacks = stacks[:runtime.Stack(stacks, true)]
			if !bytes.Contains(stacks, []byte("pysandbox/supervisor.(*")) && descriptors(t) <= before {
				return true
			}
			runtime.GC() // closes files that tests dropped
			return false
		}
		if until(gone) {
			return
		}
		t.Errorf("%d descriptors before, %d after; goroutines:\n%s", before, descriptors(t), stacks)
	})
}

func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	r, w = os.NewFile(uintptr(ends[0]), "r"), os.NewFile(uintptr(ends[1]), "w")
	t.Cleanup(func() { _, _ = r.Close(), w.Close() })
	return r, w
}

func open(t *testing.T, path string, flags int) *os.File {
	t.Helper()
	file, err := os.OpenFile(path, flags, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	return file
}

// guest is a process that has the program's side of s.
type guest struct {
	t       *testing.T
	s       *Stdio
	command *exec.Cmd
}

// start runs a shell script as the program.
func start(t *testing.T, caller [3]*os.File, limit int64, exceeded func(), script string) *guest {
	t.Helper()
	var fds [3]int
	for i, file := range caller {
		fds[i] = int(file.Fd())
	}
	s, err := OpenStdio(fds, -1, -1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if err := openPTY(s); err != nil {
		t.Fatal(err)
	}
	command := exec.Command("sh", "-c", script)
	command.Stdin, command.Stdout, command.Stderr = s.Child[0], s.Child[1], s.Child[2]
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: s.Controlling()}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	s.CloseChild()
	s.Start(limit, exceeded)
	return &guest{t: t, s: s, command: command}
}

// end waits for the program and then for its output.
func (g *guest) end() unix.WaitStatus {
	g.t.Helper()
	_ = g.command.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := g.s.Drain(ctx); err != nil {
		g.t.Error(err)
	}
	g.s.Close()
	return unix.WaitStatus(g.command.ProcessState.Sys().(syscall.WaitStatus))
}

// readAll reads a pipe whose writers are this process and those that it closes.
func readAll(t *testing.T, r, w *os.File) string {
	t.Helper()
	_ = w.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestStdioCarriesOutput(t *testing.T) {
	for _, kind := range []string{"pipe", "file", "appended file", "socket"} {
		t.Run(kind, func(t *testing.T) {
			leaks(t)
			out, result := sink(t, kind)
			errR, errW := pipe(t)
			g := start(t, [3]*os.File{open(t, "/dev/null", os.O_RDONLY), out, errW}, 0, nil,
				"head -c 300000 /dev/zero | tr '\\0' a; echo oops >&2; exit 3")
			if status := g.end(); status.ExitStatus() != 3 {
				t.Errorf("status %d", status.ExitStatus())
			}
			if got := result(); got != strings.Repeat("a", 300000) {
				t.Errorf("stdout: %d bytes, want 300000", len(got))
			}
			if got := readAll(t, errR, errW); got != "oops\n" {
				t.Errorf("stderr: %q", got)
			}
		})
	}
}

// sink is a caller's descriptor of some kind and what arrived there.
func sink(t *testing.T, kind string) (*os.File, func() string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "out")
	switch kind {
	case "file":
		return open(t, path, os.O_WRONLY|os.O_CREATE), func() string { return content(t, path) }
	case "appended file":
		return open(t, path, os.O_WRONLY|os.O_CREATE|os.O_APPEND), func() string { return content(t, path) }
	}
	var r, w *os.File
	if kind == "pipe" {
		r, w = pipe(t)
	} else {
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		r, w = os.NewFile(uintptr(pair[0]), "r"), os.NewFile(uintptr(pair[1]), "w")
		t.Cleanup(func() { _, _ = r.Close(), w.Close() })
	}
	all := make(chan string, 1)
	go func() {
		data, _ := io.ReadAll(r)
		all <- string(data)
	}()
	return w, func() string {
		_ = w.Close()
		return <-all
	}
}

// 2>&1 keeps the order of what the program wrote.
func TestStdioKeepsOrderOfOneDestination(t *testing.T) {
	leaks(t)
	r, w := pipe(t)
	g := start(t, [3]*os.File{open(t, "/dev/null", os.O_RDONLY), w, w}, 0, nil,
		"for i in 1 2 3 4 5 6 7 8 9; do echo $i; echo $i >&2; done")
	g.end()
	if got, want := readAll(t, r, w), "1\n1\n2\n2\n3\n3\n4\n4\n5\n5\n6\n6\n7\n7\n8\n8\n9\n9\n"; got != want {
		t.Errorf("got %q", got)
	}
}

// The caller's own objects are never in the program's hands, except for input
// that can only be read.
func TestStdioHandsOverOnlyHarmlessInput(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "data")
	if err := os.WriteFile(path, []byte("input\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	pipeR, pipeW := pipe(t)
	_, _ = pipeW.WriteString("input\n")
	_ = pipeW.Close()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	socket := os.NewFile(uintptr(pair[0]), "socket")
	_, _ = unix.Write(pair[1], []byte("input\n"))
	_ = unix.Close(pair[1])
	defer socket.Close()
	for _, c := range []struct {
		name  string
		file  *os.File
		same  bool
		input string
	}{
		{"null", open(t, "/dev/null", os.O_RDWR), true, ""},
		{"pipe", pipeR, true, "input\n"},
		{"file for reading", open(t, path, os.O_RDONLY), true, "input\n"},
		{"file for reading and writing", open(t, path, os.O_RDWR), false, "input\n"},
		{"socket", socket, false, "input\n"},
		{"device", open(t, "/dev/zero", os.O_RDONLY), false, strings.Repeat("\x00", 10)},
		{"directory", open(t, dir, os.O_RDONLY), false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			leaks(t)
			r, w := pipe(t)
			g := start(t, [3]*os.File{c.file, w, w}, 0, nil, "stat -Lc %d:%i /dev/fd/0; head -c 10")
			g.end()
			identity, input, _ := strings.Cut(readAll(t, r, w), "\n")
			var st unix.Stat_t
			if err := unix.Fstat(int(c.file.Fd()), &st); err != nil {
				t.Fatal(err)
			}
			want := strconv.FormatUint(st.Dev, 10) + ":" + strconv.FormatUint(st.Ino, 10)
			if (identity == want) != c.same {
				t.Errorf("the program holds %s, the caller %s", identity, want)
			}
			if input != c.input {
				t.Errorf("input %q, want %q", input, c.input)
			}
		})
	}
}

func TestStdioClosedDescriptors(t *testing.T) {
	leaks(t)
	s, err := OpenStdio([3]int{9997, 9998, 9999}, -1, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i, file := range s.Child {
		if d, err := describe(int(file.Fd())); err != nil || d.kind != kindNull {
			t.Errorf("descriptor %d became %+v, %v", i, d, err)
		}
	}
}

func TestStdioOutputLimit(t *testing.T) {
	leaks(t)
	r, w := pipe(t)
	var calls atomic.Int32
	exceeded := make(chan struct{})
	g := start(t, [3]*os.File{open(t, "/dev/null", os.O_RDONLY), w, w}, 10_000, func() {
		if calls.Add(1) == 1 {
			close(exceeded)
		}
	}, "exec yes")
	select {
	case <-exceeded:
	case <-time.After(patience):
		t.Fatal("nobody noticed")
	}
	_ = g.command.Process.Kill()
	g.end()
	if got := readAll(t, r, w); len(got) != 10_000 {
		t.Errorf("%d bytes passed, want 10000", len(got))
	}
	if calls.Load() != 1 {
		t.Errorf("told %d times", calls.Load())
	}
}

// Both outputs count together, and what fits exactly is within the limit.
func TestStdioOutputLimitIsExactAndShared(t *testing.T) {
	for limit, want := range map[int64]int32{8: 0, 7: 1} {
		outR, outW := pipe(t)
		errR, errW := pipe(t)
		var calls atomic.Int32
		g := start(t, [3]*os.File{open(t, "/dev/null", os.O_RDONLY), outW, errW}, limit,
			func() { calls.Add(1) }, "printf aaaa; printf bbbb >&2; sleep 0.2")
		g.end()
		got := readAll(t, outR, outW) + readAll(t, errR, errW)
		if int64(len(got)) != limit || calls.Load() != want {
			t.Errorf("limit %d: %q passed, told %d times", limit, got, calls.Load())
		}
	}
}

// A reader that never reads holds up the program, as it would without us, but
// not the end of the run.
func TestStdioReaderThatNeverReads(t *testing.T) {
	for _, kind := range []string{"pipe", "socket"} {
		t.Run(kind, func(t *testing.T) {
			leaks(t)
			inTime(t, func() (late string) {
				w := stalled(t, kind)
				g := start(t, [3]*os.File{open(t, "/dev/null", os.O_RDONLY), w, w}, 0, nil, "exec yes")
				g.untilFull(w)
				_ = g.command.Process.Kill()
				_ = g.command.Wait()
				ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
				defer cancel()
				begin := time.Now()
				if err := g.s.Drain(ctx); !errors.Is(err, ErrStalled) {
					t.Errorf("Drain: %v, want ErrStalled", err)
				}
				g.s.Close()
				if took := time.Since(begin); took > time.Second {
					return fmt.Sprintf("took %v", took)
				}
				return ""
			})
		})
	}
}

// untilFull returns when w takes no more and the program's pipe is full behind it: more
// than a socket has room for that is only no longer ready.
func (g *guest) untilFull(w *os.File) {
	g.t.Helper()
	pipe := g.s.outputs[0].fd
	size, err := unix.FcntlInt(uintptr(pipe), unix.F_GETPIPE_SZ, 0)
	if err != nil {
		g.t.Fatal(err)
	}
	looks := 0
	full := func() bool {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(w.Fd()), Events: unix.POLLOUT}}, 0)
		if looks++; err != nil || n > 0 || available(pipe) < size*3/4 {
			looks = 0
		}
		return looks == 10
	}
	if !until(full) {
		g.t.Fatalf("what is written never fills it: %d of %d bytes are left", available(pipe), size)
	}
}

func stalled(t *testing.T, kind string) *os.File {
	t.Helper()
	if kind == "pipe" {
		_, w := pipe(t)
		return w
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	w := os.NewFile(uintptr(pair[0]), "w")
	t.Cleanup(func() { _ = unix.Close(pair[1]); _ = w.Close() })
	return w
}

// The program hears that its reader has gone: yes | head ends.
func TestStdioReaderThatGoesAway(t *testing.T) {
	leaks(t)
	r, w := pipe(t)
	g := start(t, [3]*os.File{open(t, "/dev/null", os.O_RDONLY), w, open(t, "/dev/null", os.O_WRONLY)}, 0, nil, "exec yes")
	buf := make([]byte, 2)
	if _, err := io.ReadFull(r, buf); err != nil || string(buf) != "y\n" {
		t.Fatalf("%q, %v", buf, err)
	}
	_ = r.Close()
	if status := g.end(); !status.Signaled() || status.Signal() != unix.SIGPIPE {
		t.Errorf("status %#x, want SIGPIPE", status)
	}
}

// A terminal whose other end is closed is a reader that has gone, not a failure.
func TestStdioTerminalThatGoesAway(t *testing.T) {
	master, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	g := start(t, [3]*os.File{open(t, "/dev/null", os.O_RDONLY), tty, open(t, "/dev/null", os.O_WRONLY)}, 0, nil, "echo x; sleep 0.3; echo y")
	buf := make([]byte, 3)
	if _, err := io.ReadFull(master, buf); err != nil || string(buf) != "x\r\n" {
		t.Fatalf("%q, %v", buf, err)
	}
	_ = master.Close()
	g.end()
}

func TestStdioFullDevice(t *testing.T) {
	leaks(t)
	full := open(t, "/dev/full", os.O_WRONLY)
	g := start(t, [3]*os.File{open(t, "/dev/null", os.O_RDONLY), full, open(t, "/dev/null", os.O_WRONLY)}, 0, nil, "echo x; sleep 0.1")
	_ = g.command.Wait()
	if err := g.s.Drain(context.Background()); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("Drain: %v, want ENOSPC", err)
	}
}

// Drain must not wait for a survivor that holds the pipe open.
func TestStdioDrainDoesNotWaitForTheEnd(t *testing.T) {
	leaks(t)
	r, w := pipe(t)
	g := start(t, [3]*os.File{open(t, "/dev/null", os.O_RDONLY), w, w}, 0, nil, "sleep 300 & echo $!; echo last")
	g.end() // waits for less
	pid, last, _ := strings.Cut(readAll(t, r, w), "\n")
	if last != "last\n" {
		t.Errorf("got %q", last)
	}
	if n, err := strconv.Atoi(pid); err == nil {
		_ = unix.Kill(n, unix.SIGKILL)
	}
}

// A program that ends without reading must not hold up the input pump, nor eat
// the caller's input beyond what a pipe holds.
func TestStdioProgramThatDoesNotRead(t *testing.T) {
	leaks(t)
	path := filepath.Join(t.TempDir(), "big")
	if err := os.WriteFile(path, make([]byte, 10<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	in := open(t, path, os.O_RDWR)
	g := start(t, [3]*os.File{in, open(t, "/dev/null", os.O_WRONLY), open(t, "/dev/null", os.O_WRONLY)}, 0, nil, "sleep 0.1")
	g.end()
	if at, err := in.Seek(0, io.SeekCurrent); err != nil || at > 256<<10 {
		t.Errorf("%d bytes of input are gone, %v", at, err)
	}
}

// As root the pipe belongs to the program's uid: it can open /dev/stdout.
func TestStdioOwner(t *testing.T) {
	testenv.Need(t, testenv.Root)
	for uid, want := range map[int]string{65534: "through\n", -1: "refused\n"} {
		leaks(t)
		r, w := pipe(t)
		null := open(t, "/dev/null", os.O_RDWR)
		s, err := OpenStdio([3]int{int(null.Fd()), int(w.Fd()), int(null.Fd())}, uid, uid)
		if err != nil {
			t.Fatal(err)
		}
		command := exec.Command("sh", "-c", "echo through 2>/dev/null >/dev/stdout || echo refused")
		command.Stdin, command.Stdout, command.Stderr = s.Child[0], s.Child[1], s.Child[2]
		command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		s.CloseChild()
		s.Start(0, nil)
		(&guest{t: t, s: s, command: command}).end()
		if got := readAll(t, r, w); got != want {
			t.Errorf("owner %d: %q, want %q", uid, got, want)
		}
	}
}

// Small writes must not use up the slots of the caller's pipe: what fits into it
// without us fits with us.
func TestStdioSmallWritesShareBuffers(t *testing.T) {
	leaks(t)
	r, w := pipe(t)
	g := start(t, [3]*os.File{open(t, "/dev/null", os.O_RDONLY), w, w}, 0, nil,
		"i=0; while [ $i -lt 400 ]; do echo line $i; i=$((i+1)); if [ $((i%20)) = 0 ]; then sleep 0.01; fi; done")
	g.end() // nobody has read yet
	if got := strings.Count(readAll(t, r, w), "\n"); got != 400 {
		t.Errorf("%d lines", got)
	}
}

func BenchmarkStdioThroughput(b *testing.B) {
	for _, through := range []string{"native", "pumped"} {
		b.Run(through, func(b *testing.B) {
			r, w, err := os.Pipe()
			if err != nil {
				b.Fatal(err)
			}
			reader := exec.Command("sh", "-c", "exec cat >/dev/null")
			reader.Stdin = r
			if err := reader.Start(); err != nil {
				b.Fatal(err)
			}
			null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
			if err != nil {
				b.Fatal(err)
			}
			s, err := OpenStdio([3]int{int(null.Fd()), int(w.Fd()), int(null.Fd())}, -1, -1)
			if err != nil {
				b.Fatal(err)
			}
			writer := exec.Command("dd", "if=/dev/zero", "bs=64k", "status=none", "count="+strconv.Itoa(b.N))
			writer.Stdout = w
			if through == "pumped" {
				writer.Stdout = s.Child[1]
			}
			b.SetBytes(64 << 10)
			s.Start(1<<50, nil)
			if err := writer.Run(); err != nil {
				b.Fatal(err)
			}
			s.CloseChild()
			if err := s.Drain(b.Context()); err != nil {
				b.Fatal(err)
			}
			s.Close()
			_, _, _ = w.Close(), r.Close(), null.Close()
			_ = reader.Wait()
		})
	}
}
