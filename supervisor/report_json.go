package supervisor

import (
	"math"
	"strconv"

	"github.com/pysandbox/pysandbox/audit"
)

// maxReportString is the length in bytes to which a string of the report is
// cut.
const maxReportString = 4096

// AppendJSON appends the report as one line of JSON without a line end. It is
// written by hand because encoding/json alone would cost every start 150 µs,
// and because that package lets through what a terminal obeys.
func (r *Report) AppendJSON(dst []byte) []byte {
	o := object{dst: append(dst, '{')}
	o.number("version", int64(r.Version))
	o.text("outcome", string(r.Outcome))
	o.text("reason", r.Reason)
	o.number("exit_code", int64(r.ExitCode))
	o.text("signal", r.Signal)
	o.text("tier", r.Tier)
	o.key("layers")
	o.dst = r.Layers.appendJSON(o.dst)
	o.key("usage")
	o.dst = r.Usage.appendJSON(o.dst)
	o.names("limits_hit", r.LimitsHit)
	o.key("violations")
	o.dst = append(o.dst, '[')
	for i := range r.Violations {
		if i > 0 {
			o.dst = append(o.dst, ',')
		}
		o.dst = appendViolation(o.dst, &r.Violations[i])
	}
	o.dst = append(o.dst, ']')
	o.number("violations_dropped", int64(r.ViolationsDropped))
	if r.AuditIncomplete != "" {
		o.text("audit_incomplete", r.AuditIncomplete)
	}
	return append(o.dst, '}')
}

func (l Layers) appendJSON(dst []byte) []byte {
	o := object{dst: append(dst, '{')}
	o.truth("userns", l.UserNS)
	o.truth("netns", l.NetNS)
	o.number("landlock", int64(l.Landlock))
	o.truth("seccomp", l.Seccomp)
	o.truth("notify", l.Notify)
	o.text("cgroup", l.Cgroup)
	return append(o.dst, '}')
}

func (u Usage) appendJSON(dst []byte) []byte {
	o := object{dst: append(dst, '{')}
	o.seconds("wall_seconds", u.WallSeconds)
	o.seconds("cpu_seconds", u.CPUSeconds)
	o.number("peak_memory_bytes", u.PeakMemoryBytes)
	o.number("peak_pids", int64(u.PeakPids))
	o.names("whole_tree", u.WholeTree)
	return append(o.dst, '}')
}

func appendViolation(dst []byte, v *audit.Violation) []byte {
	o := object{dst: append(dst, '{')}
	o.text("operation", v.Operation)
	o.text("target", v.Target)
	o.text("rule", v.Rule)
	o.text("errno", v.Errno)
	o.number("count", int64(v.Count))
	o.text("hint", v.Hint)
	if v.Where != "" {
		o.text("where", v.Where)
	}
	if v.Source != "" {
		o.text("source", v.Source)
	}
	return append(o.dst, '}')
}

// object appends the members of one JSON object.
type object struct{ dst []byte }

func (o *object) key(name string) {
	if o.dst[len(o.dst)-1] != '{' {
		o.dst = append(o.dst, ',')
	}
	o.dst = append(o.dst, '"')
	o.dst = append(o.dst, name...)
	o.dst = append(o.dst, '"', ':')
}

func (o *object) text(name, value string) {
	o.key(name)
	o.dst = audit.AppendJSON(o.dst, value, maxReportString)
}

func (o *object) names(name string, values []string) {
	o.key(name)
	o.dst = append(o.dst, '[')
	for i, value := range values {
		if i > 0 {
			o.dst = append(o.dst, ',')
		}
		o.dst = audit.AppendJSON(o.dst, value, maxReportString)
	}
	o.dst = append(o.dst, ']')
}

func (o *object) number(name string, value int64) {
	o.key(name)
	o.dst = strconv.AppendInt(o.dst, value, 10)
}

func (o *object) truth(name string, value bool) {
	o.key(name)
	o.dst = strconv.AppendBool(o.dst, value)
}

// seconds appends value to the microsecond; JSON has no infinities.
func (o *object) seconds(name string, value float64) {
	o.key(name)
	if math.IsNaN(value) || math.IsInf(value, 0) {
		value = 0
	}
	o.dst = strconv.AppendFloat(o.dst, math.Round(value*1e6)/1e6, 'f', -1, 64)
}
