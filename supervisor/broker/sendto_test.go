package broker

import (
	"net"
	"slices"
	"testing"
)

// TestDatagramsToTheWorldAreDenied sends with a destination, which is judged at
// once, and connected, which the kernel contains.
func TestDatagramsToTheWorldAreDenied(t *testing.T) {
	l, err := net.ListenPacket("udp", net.JoinHostPort(outside4, "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	came := make(chan int, 1)
	go func() {
		n, _, err := l.ReadFrom(make([]byte, 100))
		if err == nil {
			came <- n
		}
	}()
	_, port, _ := net.SplitHostPort(l.LocalAddr().String())
	const program = prelude + `
address = sys.argv[1], int(sys.argv[2])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
print(outcome(s.sendto, b'x', address), outcome(s.connect, address), outcome(s.send, b'x'))
`
	output, records := runPython(t, Config{}, program, outside4, port)
	if output != "EACCES ENETUNREACH EDESTADDRREQ\n" {
		t.Error(output)
	}
	target := "udp://" + outside4 + ":" + port
	if got := denials(records); !slices.Equal(got, []string{"sendto " + target + " network.default EACCES --allow-net=" + target}) {
		t.Errorf("denials: %q", got)
	}
	output, records = runPython(t, allowing(t, target), program, outside4, port)
	if output != "ENETUNREACH ENETUNREACH EDESTADDRREQ\n" || len(denials(records)) != 0 {
		t.Errorf("permitted, without a relay: %s %+v", output, records)
	}
	select {
	case <-came:
		t.Error("a datagram arrived")
	default:
	}
}

// TestBlockingSendWaits fills a local datagram queue: the send goes on when there
// is room, and the broker serves others meanwhile.
func TestBlockingSendWaits(t *testing.T) {
	const program = prelude + `
import threading
os.chdir(os.environ['PRIVATE'])
server, client = (socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(2))
server.bind('queue')
client.setblocking(False)
n = 0
try:
    while True:
        client.sendto(b'x', 'queue')
        n += 1
except BlockingIOError:
    pass
client.setblocking(True)
timer = threading.Timer(0.2, server.recv, (10,))
timer.start()
print(n > 1, client.sendto(b'last', 'queue'))
`
	if output, _ := runPython(t, Config{}, program); output != runNative(t, program) {
		t.Error(output)
	}
}

// TestSendsAreBounded sends more than is copied at once. What a call that waits has
// copied is the supervisor's memory.
func TestSendsAreBounded(t *testing.T) {
	const program = prelude + `
server = socket.create_server(('127.0.0.1', 0))
client = connected(server.getsockname())
print(client.sendto(bytes(1 << 20), server.getsockname()) <= 1 << 16)
datagrams = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
datagrams[0].bind(('127.0.0.1', 0))
for size in 65507, 65508, 1 << 20:
    print(outcome(datagrams[1].sendto, bytes(size), datagrams[0].getsockname()))
`
	output, _ := runPython(t, Config{}, program)
	if want := "True\n65507\nEMSGSIZE\nEMSGSIZE\n"; output != want {
		t.Errorf("output %q, want %q", output, want)
	}
}
