package audit

import (
	"strconv"
	"time"
)

// maxField is the length in bytes to which a string of a line is cut: a path
// (PATH_MAX) fits.
const maxField = 4096

// AppendRecord appends one line of the audit stream. Fields that are empty are
// left out, but for source, verdict and operation.
func AppendRecord(dst []byte, r *Record) []byte {
	dst = append(dst, `{"time":"`...)
	dst = r.Time.UTC().AppendFormat(dst, "2006-01-02T15:04:05.000000Z")
	dst = append(dst, '"')
	dst = field(dst, "source", r.Source)
	dst = field(dst, "verdict", r.Verdict)
	dst = field(dst, "operation", r.Operation)
	dst = optional(dst, "target", r.Target)
	dst = optional(dst, "original", r.Original)
	dst = optional(dst, "name", r.Name)
	dst = optional(dst, "rule", r.Rule)
	dst = optional(dst, "errno", r.Errno)
	dst = optional(dst, "hint", r.Hint)
	dst = optional(dst, "where", r.Where)
	dst = number(dst, "pid", int64(r.PID))
	dst = number(dst, "tid", int64(r.TID))
	dst = number(dst, "latency_us", int64(r.Latency/time.Microsecond))
	return append(dst, '}', '\n')
}

func field(dst []byte, name, value string) []byte {
	dst = append(dst, ',', '"')
	dst = append(dst, name...)
	dst = append(dst, '"', ':')
	return AppendJSON(dst, value, maxField)
}

func optional(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	return field(dst, name, value)
}

func number(dst []byte, name string, value int64) []byte {
	if value == 0 {
		return dst
	}
	dst = append(dst, ',', '"')
	dst = append(dst, name...)
	dst = append(dst, '"', ':')
	return strconv.AppendInt(dst, value, 10)
}
