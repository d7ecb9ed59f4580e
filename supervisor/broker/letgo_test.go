package broker

import (
	"net"
	"slices"
	"testing"

	"github.com/pysandbox/pysandbox/audit"
)

// TestHolderElsewhere connects a socket that something else has too: a forked
// process, a message under way, a call that waits. What is left there leads
// nowhere, and a record says so; what the process itself has is replaced.
func TestHolderElsewhere(t *testing.T) {
	s := listenAt(t, outside4)
	config := allowing(t, net.JoinHostPort(s.host, s.port))
	for _, test := range []struct {
		name, program, want string
		records             int
	}{
		{"nobody", `
s = socket.socket()
s.connect(server)
print(echo(s))
`, "ping\n", 0},
		{"a duplicate here", `
s = socket.socket()
d = s.dup()
s.connect(server)
print(echo(s), echo(d))
`, "ping ping\n", 0},
		{"a fork", `
s = socket.socket()
go, going = os.pipe()
pid = os.fork()
if pid == 0:
    os.read(go, 1)
    print(outcome(s.send, b'ping'), flush=True)
    os._exit(0)
s.connect(server)
print(echo(s), flush=True)
os.write(going, b'x')
os.waitpid(pid, 0)
`, "ping\nEPIPE\n", 1},
		{"a message under way", `
s = socket.socket()
a, b = socket.socketpair()
socket.send_fds(a, [b'x'], [s.fileno()])
s.connect(server)
late = socket.socket(fileno=socket.recv_fds(b, 1, 1)[1][0])
print(echo(s), outcome(late.recv, 1))
`, "ping ENOTCONN\n", 1},
		{"a fork that has ended", `
s = socket.socket()
pid = os.fork()
if pid == 0:
    os._exit(0)
os.waitpid(pid, 0)
s.connect(server)
print(echo(s))
`, "ping\n", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			output, records := runPython(t, config, prelude+`
signal = __import__('signal')
signal.signal(signal.SIGPIPE, signal.SIG_IGN)
server = sys.argv[1], int(sys.argv[2])
def echo(s):
    s.sendall(b'ping')
    return s.recv(4).decode()
`+test.program, s.host, s.port)
			if output != test.want {
				t.Errorf("output %q, want %q", output, test.want)
			}
			left := slices.DeleteFunc(records, func(r audit.Record) bool { return r.Operation != "handoff" })
			if len(left) != test.records {
				t.Errorf("%d records of what was left, want %d: %+v", len(left), test.records, records)
			}
			for _, r := range left {
				if r.Verdict != audit.Deny || r.Rule != ruleHandoff || r.Errno != "ENOTCONN" || r.Target != "tcp://"+net.JoinHostPort(s.host, s.port) {
					t.Errorf("record: %+v", r)
				}
			}
		})
	}
}
