package broker

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/pysandbox/pysandbox/audit"
	"github.com/pysandbox/pysandbox/internal/netrule"
)

// prelude is what the programs of several tests share.
const prelude = `
import ctypes, errno, os, socket, struct, sys

def outcome(f, *args):
    try:
        return f(*args)
    except OSError as e:
        return errno.errorcode[e.errno]

def broken_off(host):
    """A host socket that is not connected."""
    s = socket.socket()
    s.setblocking(False)
    assert s.connect_ex((host, 80)) == errno.EINPROGRESS
    s.shutdown(socket.SHUT_RDWR)
    return s

def connected(address):
    s = socket.socket()
    s.connect(address)
    return s

LIBC = ctypes.CDLL(None, use_errno=True)

def unspecified(s):
    raw = struct.pack('=H14x', socket.AF_UNSPEC)
    return LIBC.connect(s.fileno(), raw, len(raw))
`

// TestHostSocketCannotBeTurned tries what a host socket in the program's hands
// could be used for. Each must end inside, and nothing may listen on the host.
func TestHostSocketCannotBeTurned(t *testing.T) {
	s, loopback, denied := listenAt(t, outside4), listenAt(t, "127.0.0.1"), listenAt(t, outside4)
	config := allowing(t, net.JoinHostPort(outside4, s.port), dark4+":80")
	listening := watchListeners(t)
	output, records := runPython(t, config, prelude+`
dark, server, loopback, denied = sys.argv[1], (sys.argv[2], int(sys.argv[3])), int(sys.argv[4]), int(sys.argv[5])

def serves_inside(s):
    c = connected(('127.0.0.1', s.getsockname()[1]))
    return s.accept()[1] == c.getsockname()

s = broken_off(dark)
s.listen()
s.setblocking(True)
print('listen', serves_inside(s))

s = broken_off(dark)
s.bind(('0.0.0.0', 0))
s.listen()
s.setblocking(True)
print('bind', serves_inside(s))

s = connected(server)
print('unspecified', unspecified(s))
s.bind(('0.0.0.0', 0))
s.listen()
print('then listen', serves_inside(s))

s = connected(server)
print('connected', outcome(s.listen), outcome(s.bind, ('0.0.0.0', 0)))
print('loopback when connected', outcome(s.connect, ('127.0.0.1', loopback)))

s = broken_off(dark)
s.setblocking(True)
print('loopback', outcome(s.connect, ('127.0.0.1', loopback)))
s = broken_off(dark)
s.setblocking(True)
print('denied', outcome(s.connect, (server[0], denied)))
print('permitted', outcome(s.connect, server))
s.sendall(b'ping')
print(s.recv(4).decode())

s = broken_off(dark)
a, b = socket.socketpair()
d = s.dup()
print('duplicate', outcome(d.listen), outcome(lambda: s.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)))
`, dark4, s.host, s.port, loopback.port, denied.port)
	want := `listen True
bind True
unspecified 0
then listen True
connected EINVAL EINVAL
loopback when connected EISCONN
loopback ECONNREFUSED
denied EACCES
permitted None
ping
duplicate None 1
`
	if output != want {
		t.Errorf("output:\n%s\nwant:\n%s", output, want)
	}
	if n := loopback.accepted.Load() + denied.accepted.Load(); n != 0 {
		t.Errorf("%d connections arrived where none may", n)
	}
	if n := listening(); n != 0 {
		t.Errorf("the host was seen listening %d times", n)
	}
	if n := countVerdict(records, audit.Deny); n != 1 {
		t.Errorf("%d denials, want one: %+v", n, records)
	}
}

// TestHostLoopbackOnlyByPort reaches the named port of the host's loopback and
// no other.
func TestHostLoopbackOnlyByPort(t *testing.T) {
	named, other := listenAt(t, "127.0.0.1"), listenAt(t, "127.0.0.1")
	config := Config{HostLoopback: []uint16{port(t, named.port)}}
	output, records := runPython(t, config, prelude+`
named, other = int(sys.argv[1]), int(sys.argv[2])
s = connected(('127.0.0.1', named))
s.sendall(b'ping')
print(s.recv(4).decode(), s.getpeername() == ('127.0.0.1', named))
print(outcome(connected, ('127.0.0.1', other)))
print(outcome(connected, ('0.0.0.0', named)))
`, named.port, other.port)
	if output != "ping True\nECONNREFUSED\nECONNREFUSED\n" {
		t.Error(output)
	}
	if named.accepted.Load() != 1 || other.accepted.Load() != 0 {
		t.Errorf("%d and %d accepted", named.accepted.Load(), other.accepted.Load())
	}
	if len(records) != 1 || records[0].Rule != netrule.RuleHostLoopback || records[0].Target != "tcp://127.0.0.1:"+named.port {
		t.Errorf("records: %+v", records)
	}
}

// TestConnectionsAreBounded opens more than the limit, closes, and opens again.
func TestConnectionsAreBounded(t *testing.T) {
	s := listenAt(t, outside4)
	config := allowing(t, net.JoinHostPort(s.host, s.port))
	config.Connections = 3
	output, records := runPython(t, config, prelude+`
server = sys.argv[1], int(sys.argv[2])
held = [connected(server) for _ in range(3)]
print(outcome(connected, server), outcome(connected, server))
held.pop().close()
held.append(connected(server))
print(outcome(connected, server))
`, s.host, s.port)
	if output != "ENOBUFS ENOBUFS\nENOBUFS\n" {
		t.Error(output)
	}
	if n := countVerdict(records, audit.Deny); n != 3 || countVerdict(records, audit.Allow) != 4 {
		t.Errorf("records: %+v", records)
	}
	for _, record := range records {
		if record.Verdict == audit.Deny && (record.Rule != ruleConnections || !strings.HasPrefix(record.Target, "tcp://")) {
			t.Errorf("record: %+v", record)
		}
	}
}

// TestChosenPortIsNotPretended refuses a connect from a port that the program
// chose, which the host cannot promise.
func TestChosenPortIsNotPretended(t *testing.T) {
	s := listenAt(t, outside4)
	output, records := runPython(t, allowing(t, net.JoinHostPort(s.host, s.port)), prelude+`
s = socket.socket()
s.bind(('', 12345))
print(outcome(s.connect, (sys.argv[1], int(sys.argv[2]))))
`, s.host, s.port)
	if output != "EADDRNOTAVAIL\n" || s.accepted.Load() != 0 {
		t.Errorf("output %q, %d accepted", output, s.accepted.Load())
	}
	if len(records) != 1 || records[0].Rule != ruleHandoff || records[0].Errno != "EADDRNOTAVAIL" {
		t.Errorf("records: %+v", records)
	}
}

// TestUnseenHoldersFailClosed connects while a forked process holds the socket:
// it keeps the one that leads nowhere.
func TestUnseenHoldersFailClosed(t *testing.T) {
	s := listenAt(t, outside4)
	output, _ := runPython(t, allowing(t, net.JoinHostPort(s.host, s.port)), prelude+`
s = socket.socket()
r, w = os.pipe()
pid = os.fork()
if pid == 0:
    os.read(r, 1)
    print('child', outcome(s.send, b'x'), outcome(s.getpeername), flush=True)
    os._exit(0)
s.connect((sys.argv[1], int(sys.argv[2])))
os.write(w, b'x')
os.waitpid(pid, 0)
s.sendall(b'ping')
print('parent', s.recv(4).decode())
`, s.host, s.port)
	if output != "child EPIPE ENOTCONN\nparent ping\n" {
		t.Error(output)
	}
}

func countVerdict(records []audit.Record, verdict string) int {
	n := 0
	for _, record := range records {
		if record.Verdict == verdict {
			n++
		}
	}
	return n
}

// TestEndedConnectionsCount holds sockets whose connections the far end has reset:
// what they have received is the host's memory until they are closed.
func TestEndedConnectionsCount(t *testing.T) {
	s := serveAt(t, outside4, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 1))
		_ = c.(*net.TCPConn).SetLinger(0)
	})
	config := allowing(t, net.JoinHostPort(s.host, s.port))
	config.Connections = 3
	output, _ := runPython(t, config, prelude+`
server = sys.argv[1], int(sys.argv[2])
select = __import__('select')
def ended():
    s = connected(server)
    s.send(b'x')
    poll = select.poll()
    poll.register(s, 0)
    poll.poll() # POLLHUP
    return s
held = [ended() for _ in range(3)]
print(outcome(connected, server))
held.pop().close()
held.append(ended())
print(outcome(connected, server))
`, s.host, s.port)
	if output != "ENOBUFS\nENOBUFS\n" {
		t.Error(output)
	}
}

// A socket that is closed with data that nobody takes stays with the kernel.
func TestUnsentDataOfClosedConnectionsCounts(t *testing.T) {
	release := make(chan struct{})
	s := serveAt(t, outside4, func(c net.Conn) {
		<-release
		_ = c.(*net.TCPConn).SetLinger(0)
	})
	config := allowing(t, net.JoinHostPort(s.host, s.port))
	config.Connections = 3
	time.AfterFunc(2*time.Second, func() { close(release) })
	output, _ := runPython(t, config, prelude+`
time = __import__('time')
server = sys.argv[1], int(sys.argv[2])
def filled():
    s = connected(server)
    s.setblocking(False)
    try:
        while True:
            s.send(b'x' * 65536)
    except BlockingIOError:
        s.close()
for _ in range(3):
    filled()
print(outcome(connected, server))
deadline = time.monotonic() + 20
while outcome(connected, server) == 'ENOBUFS': # anything else has had room
    assert time.monotonic() < deadline
    time.sleep(0.1)
`, s.host, s.port)
	if output != "ENOBUFS\n" {
		t.Error(output)
	}
}
