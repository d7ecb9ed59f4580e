package broker

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pysandbox/pysandbox/audit"
	"github.com/pysandbox/pysandbox/seccomp"
)

// TestStalledDestinationDelaysNobody has many threads in a connect that nobody
// answers, and measures the calls of another.
func TestStalledDestinationDelaysNobody(t *testing.T) {
	s := listenAt(t, outside4)
	config := allowing(t, dark4+":80", net.JoinHostPort(s.host, s.port))
	output, _ := runPython(t, config, prelude+`
import threading, time
dark, server = sys.argv[1], (sys.argv[2], int(sys.argv[3]))
stalled = [socket.socket() for _ in range(100)]
for s in stalled:
    threading.Thread(target=outcome, args=(s.connect, (dark, 80)), daemon=True).start()
time.sleep(0.3)
inside = socket.create_server(('127.0.0.1', 0))

def median(f):
    times = []
    for _ in range(101):
        start = time.perf_counter()
        f()
        times.append(time.perf_counter() - start)
    return sorted(times)[50] * 1000

print(median(lambda: outcome(connected, ('203.0.113.10', 1))),
      median(lambda: (connected(inside.getsockname()), inside.accept())),
      median(lambda: connected(server)), flush=True)
os._exit(0)
`, dark4, s.host, s.port)
	fields := strings.Fields(output)
	if len(fields) != 3 {
		t.Fatal(output)
	}
	for i, kind := range []string{"denied", "loopback", "permitted"} {
		if ms, err := strconv.ParseFloat(fields[i], 64); err != nil || ms > 5 {
			t.Errorf("a %s connect takes %s ms while others are stalled", kind, fields[i])
		}
	}
}

// TestSignalsNeverPretendSuccess connects under a fast timer. Python retries an
// interrupted connect by asking the socket; it must not hear of success before
// there is one. The second filter lets signals in at any time, as kernels before
// 5.19 do: there the kernel can drop an answer that it has taken, and the odd
// connect slips through; unwatched it is every fourth.
func TestSignalsNeverPretendSuccess(t *testing.T) {
	s := listenAt(t, outside4)
	for name, filter := range map[string]struct {
		flags uint64
		wrong int
	}{
		"killable":      {seccomp.LoadFlags(), 0},
		"interruptible": {seccomp.LoadFlags() &^ seccomp.FlagWaitKillable, 4},
	} {
		for _, timeout := range []string{"None", "5"} { // without one the descriptor blocks
			t.Run(name+" "+timeout, func(t *testing.T) {
				argv := pythonArgs(prelude+`
import signal
timeout = eval(sys.argv[3])
signal.signal(signal.SIGALRM, lambda *_: None)
signal.setitimer(signal.ITIMER_REAL, 0.0003, 0.0003)
wrong = right = aborted = 0
for i in range(2000):
    with socket.socket() as s:
        s.settimeout(timeout)
        try:
            s.connect((sys.argv[1], int(sys.argv[2])))
        except ConnectionAbortedError:
            aborted += 1
            continue
        try:
            s.getpeername()
            right += 1
        except OSError:
            wrong += 1
signal.setitimer(signal.ITIMER_REAL, 0)
print(wrong, right, aborted)
`, []string{s.host, s.port, timeout})
				g := startGuestWith(t, allowing(t, net.JoinHostPort(s.host, s.port)), filter.flags, argv...)
				output := g.wait(t)
				var wrong, right, aborted int
				if _, err := fmt.Sscan(output, &wrong, &right, &aborted); err != nil {
					t.Fatal(err, output)
				}
				if wrong > filter.wrong || right == 0 {
					t.Errorf("%d wrong, %d right, %d aborted", wrong, right, aborted)
				}
			})
		}
	}
}

// TestSignalEndsASlowConnectSoon measures how long a handler waits for a connect
// that nobody answers: such a call is looked at every ten milliseconds.
func TestSignalEndsASlowConnectSoon(t *testing.T) {
	output, _ := runPython(t, allowing(t, dark4+":80"), prelude+`
import signal, time
class Stop(Exception): pass
def stop(*_): raise Stop
signal.signal(signal.SIGALRM, stop)
delays = []
for _ in range(21):
    due = time.perf_counter() + 0.05
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        socket.socket().connect((sys.argv[1], 80))
    except Stop:
        delays.append(time.perf_counter() - due)
print(len(delays), sorted(delays)[10] * 1000)
`, dark4)
	var stopped int
	var median float64
	if _, err := fmt.Sscan(output, &stopped, &median); err != nil {
		t.Fatal(err, output)
	}
	if stopped != 21 || median > 30 {
		t.Errorf("%d of 21 connects stopped, half of them within %.1f ms, want 30", stopped, median)
	}
}

// TestPanicDeniesTheCall makes the broker fail in the middle of a decision.
func TestPanicDeniesTheCall(t *testing.T) {
	config := Config{Names: func(netip.Addr) []string { panic("a bug") }}
	output, records := runPython(t, config, prelude+`
print(outcome(connected, (sys.argv[1], 1)), outcome(connected, ('127.0.0.1', 1)))
`, outside4)
	if output != "EPERM ECONNREFUSED\n" {
		t.Error(output)
	}
	if len(records) != 1 || records[0].Verdict != audit.Deny || records[0].Rule != ruleInternal ||
		records[0].Original != "a bug" || records[0].Operation != "connect" {
		t.Errorf("records: %+v", records)
	}
}

// TestTooManyPanicsEndTheBroker lets Serve give up, so that the sandbox is
// killed.
func TestTooManyPanicsEndTheBroker(t *testing.T) {
	config := Config{Names: func(netip.Addr) []string { panic("a bug") }}
	g := startGuest(t, config, pythonArgs(prelude+`
while True:
    outcome(connected, (sys.argv[1], 1))
`, []string{outside4})...)
	select {
	case err := <-g.served:
		if err == nil {
			t.Error("no error")
		}
		g.served <- nil
	case <-time.After(patience()):
		t.Error("the broker goes on")
	}
	_ = g.cmd.Process.Kill()
	_ = g.cmd.Wait()
	g.cancel()
	_ = g.broker.Close()
}

// TestCallersMayDieAtAnyTime kills the sandbox while its threads wait.
func TestCallersMayDieAtAnyTime(t *testing.T) {
	before := openDescriptors(t)
	config := allowing(t, dark4+":80")
	g := startGuest(t, config, pythonArgs(prelude+`
import threading, time
os.chdir(os.environ['PRIVATE'])
full = socket.socket(socket.AF_UNIX)
full.bind('full')
full.listen(0)
for _ in range(3):
    s = socket.socket(socket.AF_UNIX)
    threading.Thread(target=s.connect, args=('full',), daemon=True).start()
for _ in range(20):
    threading.Thread(target=outcome, args=(connected, (sys.argv[1], 80)), daemon=True).start()
time.sleep(0.3)
print('waiting', flush=True)
os.kill(os.getpid(), 9)
`, []string{dark4})...)
	_ = g.cmd.Wait()
	for deadline := time.Now().Add(5 * time.Second); len(g.broker.pending.all()) > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d calls of the dead wait on", len(g.broker.pending.all()))
		}
	}
	g.cancel()
	if err := <-g.served; err != nil {
		t.Error(err)
	}
	if err := g.broker.Close(); err != nil {
		t.Error(err)
	}
	if g.output.String() != "waiting\n" {
		t.Error(g.output.String())
	}
	g.closeListener()
	if after := openDescriptors(t); after > before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

func openDescriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// TestFreshSocketHasNoError asks for an error before anything has happened, as
// gevent does, with and without a blocking descriptor.
func TestFreshSocketHasNoError(t *testing.T) {
	output, _ := runPython(t, Config{}, prelude+`
a, b = socket.socket(), socket.socket()
b.setblocking(False)
print([s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) for s in (a, b)])
print(outcome(a.getsockopt, socket.SOL_SOCKET, socket.SO_ERROR, 0),
      a.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR, 2), a.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR, 8))
`)
	if output != "[0, 0]\n0 b'\\x00\\x00' b'\\x00\\x00\\x00\\x00'\n" {
		t.Error(output)
	}
}
