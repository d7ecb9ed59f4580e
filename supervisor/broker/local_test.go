package broker

import (
	"net"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/audit"
	"github.com/pysandbox/pysandbox/audit/audittest"
)

// hostSocketAt serves a local socket of the host at a path that the sandbox sees.
func hostSocketAt(tb testing.TB) (path string, arrived func() bool) {
	tb.Helper()
	path = filepath.Join(privateDir(tb), "host")
	l, err := net.Listen("unix", path)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { l.Close() })
	came := make(chan bool, 100)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			came <- true
			_, _ = c.Write([]byte("host"))
			c.Close()
		}
	}()
	return path, func() bool { return len(came) > 0 }
}

// TestLocalSocketsInside has servers and clients in the sandbox, by every kind of
// name.
func TestLocalSocketsInside(t *testing.T) {
	const program = prelude + `
os.chdir(os.environ['PRIVATE'])
os.mkdir('dir')
here = os.getcwd()

def serve(name, kind=socket.SOCK_STREAM):
    s = socket.socket(socket.AF_UNIX, kind)
    s.bind(name)
    if kind != socket.SOCK_DGRAM:
        s.listen()
    return s

def talk(server, name):
    c = socket.socket(socket.AF_UNIX, server.type)
    c.connect(name)
    peer, _ = server.accept()
    c.sendall(b'ping')
    uid = struct.unpack('3i', c.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1]
    return peer.recv(4), uid

s = serve(here + '/absolute')
print('absolute', talk(s, here + '/absolute'), s.getsockname() == here + '/absolute')
s = serve('relative')
print('relative', talk(s, 'relative'), talk(s, './dir/../relative'), s.getsockname())
os.symlink('relative', 'link')
print('link', talk(s, 'link'), talk(s, here + '/link'))
s = serve('packets', socket.SOCK_SEQPACKET)
print('packets', talk(s, 'packets'))
s = serve('\0abstract')
print('abstract', talk(s, '\0abstract'), s.getsockname())
os.umask(0o077)
serve('umask')
print('umask', oct(os.stat('umask').st_mode & 0o777))

d = serve('datagrams', socket.SOCK_DGRAM)
c = serve('client', socket.SOCK_DGRAM)
print('datagram', c.sendto(b'to path', 'datagrams'), d.recvfrom(100))
print('connected', c.connect('datagrams'), c.send(b'x'), d.recv(10))
print('unconnected', unspecified(c), outcome(c.send, b'x'))

c = socket.socket(socket.AF_UNIX)
open('file', 'w').close()
print('errors', outcome(c.connect, 'missing'), outcome(c.connect, 'file'), outcome(c.connect, 'dir'),
      outcome(c.connect, 'file/x'), outcome(c.connect, '\0nobody'), outcome(c.connect, 'datagrams'),
      outcome(c.bind, 'absolute'), outcome(c.sendto, b'x', 'absolute'))
os.unlink('absolute')
print('gone', outcome(c.connect, 'absolute'))

s = socket.socket(socket.AF_UNIX)
s.bind('full')
s.listen(0)
held = [socket.socket(socket.AF_UNIX) for _ in range(2)]
held[0].connect('full')
held[1].setblocking(False)
print('full', outcome(held[1].connect, 'full'))
import threading
late = socket.socket(socket.AF_UNIX)
t = threading.Timer(0.1, s.accept)
t.start()
print('waits for room', late.connect('full'))
`
	want := runNative(t, program)
	output, records := runPython(t, Config{}, program)
	if output != want {
		t.Errorf("inside:\n%s\noutside:\n%s", output, want)
	}
	if len(records) != 0 {
		t.Errorf("records of what stays inside: %+v", records)
	}
}

// TestHostLocalSocketsAreOutOfReach tries to reach a socket of the host that the
// sandbox sees: a mount, even a read-only one, does not keep anybody from it.
func TestHostLocalSocketsAreOutOfReach(t *testing.T) {
	path, arrived := hostSocketAt(t)
	abstract, err := net.Listen("unix", "@pysandbox-host")
	if err != nil {
		t.Fatal(err)
	}
	defer abstract.Close()
	output, records := runPython(t, Config{}, prelude+`
path = sys.argv[1]
private = os.environ['PRIVATE']
os.symlink(path, private + '/link')
os.symlink('/proc/self/root' + path, private + '/magic')
os.symlink(path, private + '/a"], allow = ["any", "')
os.chdir(os.path.dirname(path))

def connect(name):
    s = socket.socket(socket.AF_UNIX)
    return outcome(s.connect, name)

def send(name):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    return outcome(s.sendto, b'x', name)

print(os.path.exists(path), connect(path), connect(private + '/link'), connect('host'),
      connect(private + '/../' + path[5:]), connect(private + '/magic'), connect('\0pysandbox-host'), send(path),
      connect(private + '/a"], allow = ["any", "'))
`, path)
	if output != "True EACCES EACCES EACCES EACCES ELOOP ECONNREFUSED EACCES EACCES\n" {
		t.Error(output)
	}
	if arrived() {
		t.Error("the host's socket was reached")
	}
	if n := countVerdict(records, audit.Deny); n != 6 || len(records) != 6 {
		t.Fatalf("records: %+v", records)
	}
	if r := records[0]; r.Target != "unix:"+path {
		t.Errorf("record: %+v", r)
	}
	for _, r := range records { // the program may write where the socket is: no policy may name it
		if r.Rule != ruleUnix || r.Hint != "" {
			t.Errorf("record: %+v", r)
		}
	}
}

// TestNamedHostSocketIsReached is the control: a path that the policy names.
func TestNamedHostSocketIsReached(t *testing.T) {
	path, arrived := hostSocketAt(t)
	output, records := runPython(t, Config{UnixSockets: []string{path}}, prelude+`
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
print(s.recv(4).decode(), s.getpeername() == sys.argv[1])
`, path)
	if output != "host True\n" || !arrived() {
		t.Error(output)
	}
	if len(records) != 1 || records[0].Rule != ruleUnix || records[0].Verdict != audit.Allow {
		t.Errorf("records: %+v", records)
	}
}

// TestLocalBindNeedsLandlock refuses what the kernel would be left to do where
// nothing decides again.
func TestLocalBindNeedsLandlock(t *testing.T) {
	b, err := New(Config{}, &audittest.Recorder{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if r := b.bindLocal(&request{}); r.layer != noLayer || r.errno != unix.EACCES {
		t.Errorf("reply %+v", r)
	}
	b.config.LandlockTCP = true
	if r := b.bindLocal(&request{}); r.layer != landlockTCP {
		t.Errorf("reply %+v", r)
	}
}

// TestADeadCallerDecidesNothingForLater looks at the mounts of a thread that has
// ended and of one whose id may be another's, then of one that lives.
func TestADeadCallerDecidesNothingForLater(t *testing.T) {
	var tr tree
	settled := func() unix.Errno { return 0 }
	const nobody = 1 << 22 // beyond every process id (proc(5), pid_max)
	if private, errno := tr.isPrivate(nobody, 1, settled); private || errno == 0 {
		t.Errorf("a thread that has ended: %t, %v", private, errno)
	}
	if private, errno := tr.isPrivate(unix.Getpid(), 1, func() unix.Errno { return unix.ESRCH }); private || errno != unix.ESRCH {
		t.Errorf("a thread that may be another: %t, %v", private, errno)
	}
	if tr.private != nil {
		t.Error("a failed look is remembered")
	}
	if _, errno := tr.isPrivate(unix.Getpid(), 1, settled); errno != 0 || tr.private == nil {
		t.Errorf("a thread that lives: %v", errno)
	}
}
