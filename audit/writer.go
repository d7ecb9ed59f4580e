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
// a line {"dropped":N} marks the gap.
type Writer struct {
	out  io.Writer
	size int           // capacity of the queue, records
	wake chan struct{} // holds one token when the queue has become non-empty
	done chan struct{} // closed when the writing goroutine has ended

	mu      sync.Mutex
	queue   []Record
	gap     uint64 // dropped since the last line written
	dropped uint64
	closed  bool
	err     error // the first error of out
}

// ErrStalled is returned by Close when the reader of the log did not take it
// in time.
var ErrStalled = errors.New("audit: nobody reads the log")

// NewWriter starts a writer to out that holds at most queue records.
func NewWriter(out io.Writer, queue int) *Writer {
	w := &Writer{out: out, size: max(queue, 1), wake: make(chan struct{}, 1), done: make(chan struct{})}
	go w.run()
	return w
}

// Record implements Sink.
func (w *Writer) Record(r Record) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || w.err != nil || len(w.queue) >= w.size {
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
	for range w.wake {
		batch, gap, last := w.take()
		lines = lines[:0]
		for i := range batch {
			lines = AppendRecord(lines, &batch[i])
		}
		if gap > 0 {
			lines = append(lines, `{"dropped":`...)
			lines = append(strconv.AppendUint(lines, gap, 10), '}', '\n')
		}
		if len(lines) > 0 {
			if _, err := w.out.Write(lines); err != nil {
				w.fail(err, len(batch))
				return
			}
		}
		if last {
			return
		}
	}
}

// take empties the queue.
func (w *Writer) take() (batch []Record, gap uint64, last bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	batch, gap = w.queue, w.gap
	w.queue, w.gap = nil, 0
	return batch, gap, w.closed
}

// fail remembers the error and counts what it cost. Later records are dropped.
func (w *Writer) fail(err error, lost int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err = err
	w.dropped += uint64(lost + len(w.queue))
	w.queue = nil
}
