package audit

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"
)

// roomy is a limit that no test but its own reaches.
const roomy = 64 << 20

func soon() time.Time { return time.Now().Add(5 * time.Second) }

func TestWriterWritesOneLinePerRecord(t *testing.T) {
	var out bytes.Buffer
	w := NewWriter(&out, 1000, roomy)
	at := time.Date(2026, 1, 2, 3, 4, 5, 678000, time.UTC)
	w.Record(Record{
		Time: at, Source: SourceKernel, Verdict: Deny, Operation: "connect",
		Target: "tcp://203.0.113.9:443", Rule: "network.default", Errno: "EACCES",
		PID: 2, TID: 4711, Latency: 12 * time.Microsecond,
	})
	hostile := "\x1b]0;owned\x07\n{\"verdict\":\"allow\"}\xff"
	w.Record(Record{Time: at, Source: SourceKernel, Verdict: Deny, Operation: "open", Target: hostile})
	if err := w.Close(soon()); err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSpace(out.Bytes()), []byte("\n"))
	if len(lines) != 2 {
		t.Fatalf("got %d lines, want 2:\n%s", len(lines), out.Bytes())
	}
	const first = `{"time":"2026-01-02T03:04:05.000678Z","source":"kernel","verdict":"deny","operation":"connect",` +
		`"target":"tcp://203.0.113.9:443","rule":"network.default","errno":"EACCES","pid":2,"tid":4711,"latency_us":12}`
	if string(lines[0]) != first {
		t.Errorf("got  %s\nwant %s", lines[0], first)
	}
	var second map[string]any
	if err := json.Unmarshal(lines[1], &second); err != nil {
		t.Fatal(err)
	}
	if second["verdict"] != "deny" || bytes.ContainsAny(lines[1], "\x1b\x07") {
		t.Errorf("hostile target got through: %s", lines[1])
	}
}

// A log that nobody reads must not hold up a decision, and what is lost must
// be counted.
func TestWriterNeverBlocks(t *testing.T) {
	r, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer out.Close()
	if _, err := out.Write(make([]byte, 64<<10)); err != nil { // pipe(7): it is full then
		t.Fatal(err)
	}
	w := NewWriter(out, 100, roomy)
	const sent = 20_000
	start := time.Now()
	for range sent {
		w.Record(Record{Source: SourceKernel, Verdict: Deny, Operation: "connect", Target: "tcp://203.0.113.9:443"})
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("recording took %v", took)
	}
	if w.Dropped() == 0 {
		t.Fatal("nothing was dropped: the test does not fill the pipe")
	}
	if err := w.Close(time.Now().Add(50 * time.Millisecond)); !errors.Is(err, ErrStalled) {
		t.Errorf("Close: got %v, want ErrStalled", err)
	}
	select {
	case <-w.done:
	case <-time.After(5 * time.Second):
		t.Error("the writing goroutine is still there")
	}
}

func TestWriterMarksTheGap(t *testing.T) {
	r, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	w := NewWriter(out, 10, roomy)
	const sent = 20_000
	for i := range sent {
		w.Record(Record{Source: SourceKernel, Verdict: Deny, Operation: "connect", Target: strconv.Itoa(i)})
	}
	var lines, gap int
	var group sync.WaitGroup
	group.Go(func() {
		for in := bufio.NewScanner(r); in.Scan(); {
			var line struct{ Dropped int }
			if err := json.Unmarshal(in.Bytes(), &line); err != nil {
				t.Errorf("%s: %v", in.Bytes(), err)
			}
			if line.Dropped > 0 {
				gap += line.Dropped
			} else {
				lines++
			}
		}
	})
	if err := w.Close(soon()); err != nil {
		t.Fatal(err)
	}
	_ = out.Close()
	group.Wait()
	_ = r.Close()
	if gap == 0 || gap != int(w.Dropped()) || lines+gap != sent {
		t.Errorf("%d lines and a gap of %d (Dropped says %d), want a sum of %d", lines, gap, w.Dropped(), sent)
	}
}

// The stream ends at its limit, at a whole line, and its last line counts the rest.
func TestWriterHasALimit(t *testing.T) {
	const limit, sent = 10_000, 500
	for _, queue := range []int{1, 7, 1000} {
		var out bytes.Buffer
		w := NewWriter(&out, queue, limit)
		for i := range sent {
			r := deny("connect", strconv.Itoa(i))
			if i%2 == 1 {
				r.Hint = "" // a short one
			}
			w.Record(r)
		}
		if err := w.Close(soon()); err != nil {
			t.Fatal(err)
		}
		lines := bytes.Split(bytes.TrimSuffix(out.Bytes(), []byte("\n")), []byte("\n"))
		var whole, missing int
		for i, line := range lines {
			var read struct {
				Dropped int `json:"dropped"`
				Limit   int `json:"limit_bytes"`
			}
			if err := json.Unmarshal(line, &read); err != nil {
				t.Fatalf("queue %d: %s: %v", queue, line, err)
			}
			switch {
			case read.Dropped == 0:
				whole++
			case read.Limit > 0 && (read.Limit != limit || i != len(lines)-1):
				t.Errorf("queue %d: line %d of %d: %s", queue, i+1, len(lines), line)
			}
			missing += read.Dropped
		}
		if whole+missing != sent || missing != int(w.Dropped()) || out.Len() > limit+64 {
			t.Errorf("queue %d: %d lines and %d missing (Dropped says %d) in %d bytes", queue, whole, missing, w.Dropped(), out.Len())
		}
		if full := bytes.Contains(out.Bytes(), []byte("limit_bytes")); queue == 1000 && !full || full != w.Full() {
			t.Errorf("queue %d: the limit was reached: %v, Full says %v", queue, full, w.Full())
		}
	}
}

func TestWriterReportsTheFirstError(t *testing.T) {
	r, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	_ = r.Close() // a reader that has gone away
	w := NewWriter(out, 10, roomy)
	w.Record(Record{Operation: "connect"})
	if err := w.Close(soon()); err == nil {
		t.Error("writing to a closed pipe went unnoticed")
	}
	if w.Dropped() != 1 {
		t.Errorf("Dropped is %d, want 1", w.Dropped())
	}
	w.Record(Record{Operation: "connect"})
	if w.Dropped() != 2 {
		t.Errorf("a record after Close is not counted: %d", w.Dropped())
	}
}

func BenchmarkRecord(b *testing.B) {
	out, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer out.Close()
	w := NewWriter(out, 4096, math.MaxInt)
	r := deny("connect", "tcp://203.0.113.9:443")
	for b.Loop() {
		w.Record(r)
	}
	_ = w.Close(soon())
}
