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
	taken   int           // by Next
	more    chan struct{} // closed by the next record; nil while nobody waits
}

// Record implements audit.Sink.
func (r *Recorder) Record(record audit.Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.records = append(r.records, record)
	if r.more != nil {
		close(r.more)
		r.more = nil
	}
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
	late := time.After(patience)
	for {
		record, more := r.take()
		if more == nil {
			return record
		}
		select {
		case <-more:
		case <-late:
			tb.Fatal("no record has come")
		}
	}
}

// take returns the next record, or what tells of one.
func (r *Recorder) take() (audit.Record, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.taken < len(r.records) {
		r.taken++
		return r.records[r.taken-1], nil
	}
	if r.more == nil {
		r.more = make(chan struct{})
	}
	return audit.Record{}, r.more
}
