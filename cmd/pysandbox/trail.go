package main

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/audit"
)

// auditQueue is how many records may wait for the audit file, auditLimit how many
// bytes a run may write to it, about a million records, and auditPatience how long
// its reader may take for the last of them.
const (
	auditQueue    = 4096
	auditLimit    = 256 << 20
	auditPatience = 5 * time.Second
)

// incomplete ends a trail and says what it lacks, as lacking does.
func incomplete(trail *audit.Writer) string {
	err := trail.Close(time.Now().Add(auditPatience))
	return lacking(err, trail.Dropped(), trail.Full())
}

// lacking is the sentence about a trail that was closed with err and lacks a number of
// records, what would help included; empty for a trail that has them all. full is
// whether it has reached its limit.
func lacking(err error, dropped uint64, full bool) string {
	const counted = "; the report counts all that was denied"
	switch {
	case errors.Is(err, audit.ErrStalled):
		return fmt.Sprintf("the audit trail is incomplete: nothing has read it for %v after the run; keep its reader going until pysandbox ends, or name a file with --audit", auditPatience)
	case errors.Is(err, unix.EPIPE):
		return "the audit trail is incomplete: its reader ended before the run did; keep it going until pysandbox ends, or name a file with --audit"
	case err != nil:
		return "the audit trail is incomplete: to write it failed with " + cause(err) + "; name a place with room for it with --audit"
	case full:
		return fmt.Sprintf("the audit trail lacks %d of its records: a run may write %d MiB of them"+counted, dropped, auditLimit>>20)
	case dropped > 0:
		return fmt.Sprintf(`the audit trail lacks %d of its records: what takes them was too slow, and lines with "dropped" stand where they are missing`+counted, dropped)
	default:
		return ""
	}
}
