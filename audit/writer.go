package audit

import (
	"errors"
	"io"
	"os"
	"strconv"
	"sync"
	"time"
)

// Writer is a sink that writes JSON Lines: one object per record, in order. A
// bounded queue stands between the caller and the file, so that Record never
// waits for it; a record that finds the queue full is dropped and counted, and
// a line {"dropped":N} marks the gap. A program can cause records without end, so
// the stream has a limit: what comes after it is counted, and the last line says
// {"dropped":N,"limit_bytes":LIMIT}.
type Writer struct {
	out   io.Writer
	size  int           // capacity of the queue, records
	limit int           // of the stream without its last line, bytes
	wake  chan struct{} // holds one token when the queue has become non-empty
	done  chan struct{} // closed when the writing goroutine has ended

	mu      sync.Mutex
	queue   []Record
	full    bool   // the limit has been reached
	gap     uint64 // dropped since the last line written
	dropped uint64
	closed  bool
	err     error // the first error of out
}

// ErrStalled is returned by Close when the reader of the log did not take it
// in time.
var ErrStalled = errors.New("audit: nobody reads the log")

// NewWriter starts a writer to out that holds at most queue records and writes
// limit bytes and a last line at most.
func NewWriter(out io.Writer, queue, limit int) *Writer {
	w := &Writer{out: out, size: max(queue, 1), limit: limit, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go w.run()
	return w
}

// Record implements Sink.
func (w *Writer) Record(r Record) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || w.full || w.err != nil || len(w.queue) >= w.size {
		w.dropped++
		w.gap++
		return
	}
	w.queue = append(w.queue, r)
	if len(w.queue) == 1 {
		w.signal()
	}
}

// Dropped is how many records never reached the file.
func (w *Writer) Dropped() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dropped
}

// Full is whether the stream has reached its limit.
func (w *Writer) Full() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.full
}

// Close writes what is queued and ends the writer; it closes no file. It waits
// until the deadline at most and returns the first error of the file, or
// ErrStalled. A file that can carry a write deadline (a pipe or socket that is
// not blocking) is released at that moment; any other one that blocks keeps its
// goroutine until it moves.
func (w *Writer) Close(deadline time.Time) error {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		w.signal()
	}
	w.mu.Unlock()
	if f, ok := w.out.(interface{ SetWriteDeadline(time.Time) error }); ok {
		_ = f.SetWriteDeadline(deadline)
	}
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	select {
	case <-w.done:
	case <-timer.C:
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case <-w.done:
		if errors.Is(w.err, os.ErrDeadlineExceeded) {
			return ErrStalled
		}
		return w.err
	default:
		return ErrStalled
	}
}

func (w *Writer) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *Writer) run() {
	defer close(w.done)
	var lines []byte
	var missing uint64 // records, since the last line that says so
	room := w.limit
	for range w.wake {
		batch, gap, last := w.take()
		var fit int
		lines, fit = appendRecords(lines[:0], batch, room)
		if lost := len(batch) - fit; lost > 0 {
			w.fill(lost)
			gap += uint64(lost)
		}
		missing += gap
		if missing > 0 && (last || !w.full) {
			lines = w.appendGap(lines, missing)
			missing = 0
		}
		if len(lines) > 0 {
			if _, err := w.out.Write(lines); err != nil {
				w.fail(err, fit)
				return
			}
			room -= len(lines)
		}
		if w.full {
			room = 0 // a short record would fit, and hide the gap before it
		}
		if last {
			return
		}
	}
}

// appendRecords appends the records that fit into room bytes and says how many.
func appendRecords(lines []byte, batch []Record, room int) (longer []byte, fit int) {
	for i := range batch {
		before := len(lines)
		if lines = AppendRecord(lines, &batch[i]); len(lines) > room {
			return lines[:before], i
		}
	}
	return lines, len(batch)
}

// appendGap marks that records are missing.
func (w *Writer) appendGap(lines []byte, gap uint64) []byte {
	lines = append(lines, `{"dropped":`...)
	lines = strconv.AppendUint(lines, gap, 10)
	if w.full {
		lines = append(lines, `,"limit_bytes":`...)
		lines = strconv.AppendInt(lines, int64(w.limit), 10)
	}
	return append(lines, '}', '\n')
}

// take empties the queue.
func (w *Writer) take() (batch []Record, gap uint64, last bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	batch, gap = w.queue, w.gap
	w.queue, w.gap = nil, 0
	return batch, gap, w.closed
}

// fill ends the stream but for its last line, and counts what that costs now.
func (w *Writer) fill(lost int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.full = true
	w.dropped += uint64(lost)
}

// fail remembers the error and counts what it cost. Later records are dropped.
func (w *Writer) fail(err error, lost int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err = err
	w.dropped += uint64(lost + len(w.queue))
	w.queue = nil
}
