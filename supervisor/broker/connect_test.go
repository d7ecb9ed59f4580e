package broker

import (
	"net"
	"testing"

	"github.com/pysandbox/pysandbox/audit"
)

const connectOnce = `
import socket, sys
s = socket.socket(socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET)
try:
    s.connect((sys.argv[1], int(sys.argv[2])))
    s.sendall(b'hello')
    print(s.recv(5).decode())
except OSError as e:
    print(type(e).__name__, e.errno)
`

func TestConnectIsHandedOff(t *testing.T) {
	for _, host := range []string{outside4, outside6} {
		s := listenAt(t, host)
		config := allowing(t, net.JoinHostPort(host, s.port))
		output, records := runPython(t, config, connectOnce, host, s.port)
		if output != "hello\n" || s.accepted.Load() != 1 {
			t.Errorf("%s: output %q, %d accepted", host, output, s.accepted.Load())
		}
		if len(records) != 1 || records[0].Verdict != audit.Allow || records[0].Rule != "network.allow[0]" {
			t.Errorf("%s: records %+v", host, records)
		}
	}
}

func TestDeniedConnectIsExplained(t *testing.T) {
	s := listenAt(t, outside4)
	output, records := runPython(t, Config{}, connectOnce, outside4, s.port)
	if output != "PermissionError 13\n" || s.accepted.Load() != 0 {
		t.Errorf("output %q, %d accepted", output, s.accepted.Load())
	}
	if len(records) != 1 || records[0].Verdict != audit.Deny || records[0].Rule != "network.default" {
		t.Fatalf("records %+v", records)
	}
	t.Logf("%+v", records[0])
}
