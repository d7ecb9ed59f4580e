package broker

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pysandbox/pysandbox/audit"
)

// TestRecordSaysWhatWasDecided compares every field of the records of two
// decisions, made in a thread, with what the program knows of itself.
func TestRecordSaysWhatWasDecided(t *testing.T) {
	s := listenAt(t, outside4)
	at := net.JoinHostPort(s.host, s.port)
	config := allowing(t, at)
	config.Identify = true
	config.Names = func(addr netip.Addr) []string {
		if addr.Unmap() == netip.MustParseAddr(outside4) {
			return []string{"server.example"}
		}
		return nil
	}
	before := time.Now()
	output, records := runPython(t, config, prelude+`
import threading, time
def both():
    s = socket.socket(socket.AF_INET6)
    start = time.monotonic_ns()
    s.connect(('::ffff:' + sys.argv[1], int(sys.argv[2])))
    took = time.monotonic_ns() - start
    outcome(connected, (sys.argv[1], 9))
    print(os.getpid(), threading.get_native_id(), took)
t = threading.Thread(target=both)
t.start()
t.join()
`, s.host, s.port)
	var pid, tid int
	var took time.Duration
	if _, err := fmt.Sscan(output, &pid, &tid, &took); err != nil || pid == tid {
		t.Fatal(err, output)
	}
	if len(records) != 2 {
		t.Fatalf("%d records of two decisions: %+v", len(records), records)
	}
	for _, r := range records {
		if r.Time.Before(before) || r.Time.After(time.Now()) || r.Latency <= 0 {
			t.Errorf("made at %v within %v: %+v", r.Time, r.Latency, r)
		}
	}
	if records[0].Latency > took {
		t.Errorf("decided in %v by the record, in less than %v by the program", records[0].Latency, took)
	}
	want := []audit.Record{
		{
			Verdict: audit.Allow, Target: "tcp://" + at, Original: "tcp://[::ffff:" + s.host + "]:" + s.port,
			Rule: "network.allow[0]",
		},
		{
			Verdict: audit.Deny, Target: "tcp://" + s.host + ":9", Rule: "network.default", Errno: "EACCES",
			Hint: "--allow-net=tcp://server.example:9",
		},
	}
	for i, r := range records {
		want[i].Source, want[i].Operation, want[i].Name = audit.SourceKernel, "connect", "server.example"
		want[i].PID, want[i].TID = pid, tid
		r.Time, r.Latency = time.Time{}, 0
		if r != want[i] {
			t.Errorf("record:\n%+v\nwant:\n%+v", r, want[i])
		}
	}
}
