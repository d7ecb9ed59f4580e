// Package audittest helps tests of what is audited. No production code imports it.
package audittest

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pysandbox/pysandbox/audit"
)

// Recorder is a sink that keeps every record. Its zero value is ready.
type Recorder struct {
	mu      sync.Mutex
	records []audit.Record
	taken   int // by Next
}

// Record implements audit.Sink.
func (r *Recorder) Record(record audit.Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.records = append(r.records, record)
}

// All returns the records so far.
func (r *Recorder) All() []audit.Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.records)
}

// patience is how long a record may take to come.
const patience = 20 * time.Second

// Next waits for the record after the one that it returned last.
func (r *Recorder) Next(tb testing.TB) audit.Record {
	tb.Helper()
	for begun := time.Now(); time.Since(begun) < patience; time.Sleep(time.Millisecond) {
		if record, ok := r.take(); ok {
			return record
		}
	}
	tb.Fatal("no record has come")
	return audit.Record{}
}

func (r *Recorder) take() (audit.Record, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.taken == len(r.records) {
		return audit.Record{}, false
	}
	r.taken++
	return r.records[r.taken-1], true
}
