package main

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/audit"
)

func TestWhatATrailLacksIsASentence(t *testing.T) {
	file := func(err error) error { return &fs.PathError{Op: "write", Path: "/dev/full", Err: err} }
	for _, c := range []struct {
		err     error
		dropped uint64
		full    bool
		want    string // a regular expression
	}{
		{want: `^$`},
		{err: audit.ErrStalled, want: `is incomplete: nothing has read it for 5s .*; keep its reader going`},
		{err: file(unix.EPIPE), want: `is incomplete: its reader ended before the run did; keep it going`},
		{err: file(unix.ENOSPC), dropped: 7, want: `is incomplete: .* no space left on device; name a place with room`},
		{dropped: 1, want: `lacks 1 of its records: what takes them was too slow, .* "dropped"`},
		{dropped: 9, full: true, want: `lacks 9 of its records: a run may write 256 MiB`},
	} {
		got := lacking(c.err, c.dropped, c.full)
		if !regexp.MustCompile(c.want).MatchString(got) || got != "" && !strings.HasPrefix(got, "the audit trail ") {
			t.Errorf("%v, %d, %v: %q, want %s", c.err, c.dropped, c.full, got, c.want)
		}
	}
}
