package broker

import (
	"net"
	"os/exec"
	"regexp"
	"strconv"
	"testing"
	"time"
)

// floodAt is a server outside that sends to everybody as fast as it can.
func floodAt(tb testing.TB, host string) *server {
	tb.Helper()
	return serveAt(tb, host, func(c net.Conn) {
		var err error
		for data := make([]byte, 1<<20); err == nil; {
			_, err = c.Write(data)
		}
	})
}

// clientBuffers are the receive buffers of the connections to a port, as far as
// they may grow by now: rb of skmem (ss(8)).
func clientBuffers(tb testing.TB, port string) (sizes []int) {
	tb.Helper()
	out, err := exec.Command("ss", "-Htmn", "state", "established", "dport", "=", ":"+port).Output()
	if err != nil {
		tb.Fatalf("ss: %v", err)
	}
	for _, found := range regexp.MustCompile(`skmem:\(r\d+,rb(\d+),t\d+,tb\d+`).FindAllStringSubmatch(string(out), -1) {
		size, _ := strconv.Atoi(found[1])
		sizes = append(sizes, size)
	}
	return sizes
}

const reader = prelude + `
import time
held = []
for _ in range(12):
    s = connected((sys.argv[1], int(sys.argv[2])))
    held.append(s)
    end = time.monotonic() + 0.3
    while time.monotonic() < end:
        s.recv(1 << 20)
print('ready', flush=True)
sys.stdin.read()
`

// TestBuffersGrowForFewConnections reads fast from many connections, which lets
// their buffers grow, and then not at all: what they hold is the host's memory.
func TestBuffersGrowForFewConnections(t *testing.T) {
	for name, test := range map[string]struct {
		memory      int64
		least, most int // how many grow
	}{
		"a little memory": {1, 0, 1},
		"control":         {1 << 40, 6, 12},
	} {
		t.Run(name, func(t *testing.T) {
			s := floodAt(t, outside4)
			config := allowing(t, net.JoinHostPort(s.host, s.port))
			config.Memory = test.memory
			var sizes []int
			done := make(chan struct{})
			stop := make(chan struct{})
			go func() {
				defer close(done)
				for {
					if found := clientBuffers(t, s.port); len(found) >= len(sizes) && len(found) > 0 {
						sizes = found
					}
					select {
					case <-stop:
						return
					case <-time.After(100 * time.Millisecond):
					}
				}
			}()
			output, _ := runPython(t, config, reader, s.host, s.port)
			close(stop)
			<-done
			grown := 0
			for _, size := range sizes {
				if size > 2*maxBuffer {
					grown++
				}
			}
			if output != "ready\n" || len(sizes) != 12 || grown < test.least || grown > test.most {
				t.Errorf("%q: %d of the buffers %v have grown, want %d to %d", output, grown, sizes, test.least, test.most)
			}
		})
	}
}

// TestBuffersHaveABound asks for large buffers before and after a connect.
func TestBuffersHaveABound(t *testing.T) {
	s := listenAt(t, outside4)
	output, _ := runPython(t, allowing(t, net.JoinHostPort(s.host, s.port)), prelude+`
SIZES = socket.SO_RCVBUF, socket.SO_SNDBUF

def ask(s, size):
    for name in SIZES:
        s.setsockopt(socket.SOL_SOCKET, name, size)

def sizes(s):
    return [s.getsockopt(socket.SOL_SOCKET, name) for name in SIZES]

server = sys.argv[1], int(sys.argv[2])
own = socket.socket()
ask(own, 1 << 30)
print(sizes(own))
own.connect(server)
print(max(sizes(own)) <= 1 << 20)
s = connected(server)
ask(s, 1 << 30)
print(max(sizes(s)) <= 1 << 20)
ask(s, -1)
print(max(sizes(s)) <= 1 << 20)
ask(s, 100000)
print(sizes(s))
pair = socket.socketpair()
ask(pair[0], 70000)
print(sizes(pair[0]), outcome(s.setsockopt, socket.SOL_SOCKET, socket.SO_RCVBUF, b'x'))
print(LIBC.setsockopt(s.fileno(), socket.SOL_SOCKET, socket.SO_RCVBUF, 1, 4), errno.errorcode[ctypes.get_errno()])
print(LIBC.setsockopt(0, socket.SOL_SOCKET, socket.SO_RCVBUF, ctypes.byref(ctypes.c_int(9)), 4), errno.errorcode[ctypes.get_errno()])
`, s.host, s.port)
	want := "[262144, 262144]\nTrue\nTrue\nTrue\n[200000, 200000]\n[140000, 140000] EINVAL\n-1 EFAULT\n-1 ENOTSOCK\n"
	if output != want {
		t.Errorf("output:\n%s\nwant:\n%s", output, want)
	}
}

func TestHowManySocketsInside(t *testing.T) {
	for memory, want := range map[int64]int{0: 8192, 1: 1024, 256 << 20: 1024, 512 << 20: 2048, 1 << 40: 8192} {
		if got := socketsInside(memory); got != want {
			t.Errorf("%d bytes: %d sockets, want %d", memory, got, want)
		}
	}
}

func TestHowManyMayGrow(t *testing.T) {
	one := largestBuffer("tcp_rmem") + largestBuffer("tcp_wmem")
	if one < 1<<20 {
		t.Fatalf("a connection may grow to %d bytes", one)
	}
	for _, test := range []struct {
		connections int
		memory      int64
		want        int
	}{{256, 1, 1}, {256, 2*one - 1, 1}, {256, 6 * one, 3}, {1, 0, 1}, {int(one>>20+1) * 4, 0, 4}} {
		if got := mayGrow(test.connections, test.memory); got != test.want {
			t.Errorf("%d connections and %d bytes: %d may grow, want %d", test.connections, test.memory, got, test.want)
		}
	}
}
