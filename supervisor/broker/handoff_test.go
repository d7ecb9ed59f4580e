package broker

import (
	"net"
	"testing"

	"github.com/pysandbox/pysandbox/audit"
)

// TestManyDescriptors hands off in a process with more descriptors than are
// searched in passing, with duplicates and a registration far up.
func TestManyDescriptors(t *testing.T) {
	s := listenAt(t, outside4)
	output, _ := runPython(t, allowing(t, net.JoinHostPort(s.host, s.port)), prelude+`
import fcntl, resource, select
resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))
server = sys.argv[1], int(sys.argv[2])
held = [os.open('/dev/null', os.O_RDONLY) for _ in range(600)]
s = socket.socket()
far = fcntl.fcntl(s.fileno(), fcntl.F_DUPFD, 900)
e = select.epoll()
e.register(far, select.EPOLLIN | select.EPOLLET)
e.poll(0)
s.connect(server)
s.sendall(b'ping')
print(e.poll(5) == [(far, select.EPOLLIN)], os.read(far, 10), os.get_inheritable(far), s.get_inheritable())
assert unspecified(s) == 0
print(outcome(os.read, far, 1), outcome(s.getpeername))
`, s.host, s.port)
	if output != "True b'ping' True False\nENOTCONN ENOTCONN\n" {
		t.Error(output)
	}
}

// TestEveryAddressLocal is the network as it is where datagrams are relayed: every
// address ends at the sandbox's own sockets. A TCP connect must not.
func TestEveryAddressLocal(t *testing.T) {
	t.Setenv("GUEST_ANYIP", "1")
	s, denied := listenAt(t, outside4), listenAt(t, outside4)
	output, records := runPython(t, allowing(t, net.JoinHostPort(s.host, s.port)), prelude+`
host, server, denied = sys.argv[1], (sys.argv[1], int(sys.argv[2])), int(sys.argv[3])
own = socket.create_server(('0.0.0.0', denied))
print(outcome(connected, (host, denied)))
s = connected(server)
s.sendall(b'ping')
print(s.recv(4).decode())
s = socket.socket()
s.bind(('192.0.2.7', 0))
print(outcome(s.connect, server))
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
print(outcome(s.connect, (host, 53)), s.getpeername())
`, s.host, s.port, denied.port)
	if output != "EACCES\nping\nEADDRNOTAVAIL\nNone ('"+outside4+"', 53)\n" {
		t.Error(output)
	}
	if countVerdict(records, audit.Deny) != 1 || denied.accepted.Load() != 0 {
		t.Errorf("records: %+v", records)
	}
}

// TestThreadsShareOneConnect has several threads connect one blocking socket: one
// begins, the rest join it or hear that it is connected.
func TestThreadsShareOneConnect(t *testing.T) {
	s := listenAt(t, outside4)
	const program = prelude + `
import threading
for _ in range(20):
    s, results = socket.socket(), []
    threads = [threading.Thread(target=lambda: results.append(outcome(s.connect, (sys.argv[1], int(sys.argv[2])))))
               for _ in range(8)]
    for t in threads: t.start()
    for t in threads: t.join()
    s.sendall(b'ping')
    assert s.recv(4) == b'ping' and set(results) <= {None, 'EISCONN', 'EALREADY'} and None in results, results
print('ok')
`
	if output, _ := runPython(t, allowing(t, net.JoinHostPort(s.host, s.port)), program, s.host, s.port); output != "ok\n" {
		t.Error(output)
	}
}

// TestEachDecisionHasOneRecord counts records of decided calls, and none for what
// stays inside unless it is asked for.
func TestEachDecisionHasOneRecord(t *testing.T) {
	s := listenAt(t, outside4)
	const program = prelude + `
inside = socket.create_server(('127.0.0.1', 0))
for _ in range(5):
    connected(inside.getsockname())
    connected((sys.argv[1], int(sys.argv[2])))
    outcome(connected, (sys.argv[1], 9))
    s = socket.socket()
    s.setblocking(False)
    outcome(s.connect, (sys.argv[1], int(sys.argv[2])))
`
	config := allowing(t, net.JoinHostPort(s.host, s.port))
	config.Identify = true
	_, records := runPython(t, config, program, s.host, s.port)
	if allowed, denied := countVerdict(records, audit.Allow), countVerdict(records, audit.Deny); allowed != 10 || denied != 5 {
		t.Errorf("%d allowed and %d denied, want 10 and 5", allowed, denied)
	}
	for _, r := range records {
		if r.Source != audit.SourceKernel || r.Operation != "connect" || r.TID == 0 || r.PID == 0 || r.Latency <= 0 || r.Time.IsZero() {
			t.Errorf("record: %+v", r)
		}
	}
	config.Verbose = true
	_, records = runPython(t, config, program, s.host, s.port)
	if allowed := countVerdict(records, audit.Allow); allowed != 10+2+5 {
		t.Errorf("%d allowed with what stays inside: %+v", allowed, records)
	}
}

// TestFullPoolForgetsNoConnection connects a socket that has two numbers while the
// pool takes nothing: the connection stands and counts, and the second number leads
// nowhere.
func TestFullPoolForgetsNoConnection(t *testing.T) {
	t.Setenv(fullPool, "1")
	s := listenAt(t, outside4)
	config := allowing(t, net.JoinHostPort(s.host, s.port))
	config.Connections = 1
	output, records := runPython(t, config, prelude+`
server = sys.argv[1], int(sys.argv[2])
s = socket.socket()
other = s.dup()
print(outcome(s.connect, server), outcome(other.getpeername))
s.sendall(b'ping')
print(s.recv(4).decode(), outcome(connected, server))
`, s.host, s.port)
	if output != "None ENOTCONN\nping EAGAIN\n" || s.accepted.Load() != 1 {
		t.Errorf("%d accepted\n%s", s.accepted.Load(), output)
	}
	if len(records) == 0 || records[0].Rule != ruleHandoff || records[0].Errno != "ENOTCONN" {
		t.Errorf("no record of the number that leads nowhere: %+v", records)
	}
}
