package supervisor

import (
	"strconv"
	"strings"

	"github.com/pysandbox/pysandbox/audit"
)

// maxLine is the length in bytes to which a string in a line for people is cut.
const maxLine = 512

// maxReason is the same for why a sandbox was not made: pysandbox's own words, which
// may end with a command.
const maxReason = 2048

const prefix = "pysandbox: "

// FormatViolations tells in lines for standard error what was denied and what
// would allow it: the first limit violations, then how many more there are.
// Characters that a terminal might obey are escaped.
func FormatViolations(r *Report, limit int) []string {
	var lines []string
	for i, v := range r.Violations {
		if i == limit {
			break
		}
		lines = append(lines, violationLine(&v))
		if v.Hint != "" {
			lines = append(lines, prefix+"hint: "+clean(v.Hint))
		}
	}
	more := max(len(r.Violations)-limit, 0) + r.ViolationsDropped
	if more > 0 {
		lines = append(lines, prefix+"and "+strconv.Itoa(more)+" more")
	}
	return lines
}

// violationLine is "pysandbox: denied connect tcp://203.0.113.9:443 (EACCES by
// network.default) 3 times at job.py:12".
func violationLine(v *audit.Violation) string {
	var b strings.Builder
	b.WriteString(prefix + "denied " + clean(v.Operation))
	if v.Target != "" {
		b.WriteString(" " + clean(v.Target))
	}
	switch {
	case v.Errno != "" && v.Rule != "":
		b.WriteString(" (" + clean(v.Errno) + " by " + clean(v.Rule) + ")")
	case v.Errno != "" || v.Rule != "":
		b.WriteString(" (" + clean(v.Errno+v.Rule) + ")")
	}
	if v.Count > 1 {
		b.WriteString(" " + strconv.Itoa(v.Count) + " times")
	}
	if v.Where != "" {
		b.WriteString(" at " + clean(v.Where))
	}
	return b.String()
}

// FormatOutcome tells in lines for standard error why the run ended as it did
// and which limits the program met. It is empty when there is nothing to say.
func FormatOutcome(r *Report) []string {
	var lines []string
	say := func(text, hint string) {
		lines = append(lines, prefix+text)
		if hint != "" {
			lines = append(lines, prefix+"hint: "+hint)
		}
	}
	switch r.Outcome {
	case Exited:
	case Signaled:
		text := "the program was ended by " + clean(r.Signal)
		if r.Reason != "" {
			text += " (" + clean(r.Reason) + ")"
		}
		say(text, "")
	case TimedOut:
		say("killed: still running at the wall time limit", limitHint("wall"))
	case LimitHit:
		say("killed: over the "+clean(r.Reason)+" limit", limitHint(r.Reason))
	case Violated:
		say("killed for a violation: "+clean(r.Reason), "")
	case SetupFailed, Internal:
		say(string(audit.AppendText(nil, r.Reason, maxReason)), "")
	}
	for _, name := range r.LimitsHit {
		say("the program met the "+clean(name)+" limit", limitHint(name))
	}
	return lines
}

// limitHint names the flag and the key that set a limit.
func limitHint(name string) string {
	flag := map[string]string{
		"wall": "--timeout", "cpu": "--cpu", "memory": "--memory", "output": "--output",
		"pids": "--pids", "open_files": "--open-files", "file_size": "--file-size",
		"tmp_size": "--tmp-size",
	}[name]
	if flag == "" {
		return ""
	}
	return "raise it with " + flag + " or limits." + name
}

func clean(s string) string { return string(audit.AppendText(nil, s, maxLine)) }
