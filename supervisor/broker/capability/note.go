package capability

import (
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/pysandbox/pysandbox/audit"
)

// noteFields is the number of elements of a Note.
const noteFields = 6

// Suggestions say what a hint may name. A program that is confined chose it.
type Suggestions interface {
	SuggestsWrite(directory string) bool
	SuggestsNetwork(target string) bool
}

// readNote makes the record of a Note: the guest's own word, never proof.
func readNote(frame []byte, now time.Time, may Suggestions) (audit.Record, error) {
	value, err := Decode(frame)
	if err != nil {
		return audit.Record{}, err
	}
	list, _ := value.([]any)
	if len(list) != noteFields {
		return audit.Record{}, fmt.Errorf("%w: a note of %d elements", ErrFrame, len(list))
	}
	var words [noteFields]string
	for i := 1; i < noteFields; i++ {
		word, isText := list[i].(string)
		if !isText {
			return audit.Record{}, fmt.Errorf("%w: a note holds more than text", ErrFrame)
		}
		words[i] = word
	}
	verdict := audit.Ask
	if words[3] != "" { // the guest refused by itself, so the kernel saw nothing
		verdict = audit.Deny
	}
	return audit.Record{
		Time: now, Source: audit.SourceGuest, Verdict: verdict,
		Operation: words[1], Target: words[2], Rule: words[3], Errno: words[4], Where: words[5],
		Hint: hintFor(words[1], words[2], words[3], may),
	}, nil
}

// hintFor returns what would allow an operation that the guest says it refused. A
// guest does not word what an operator is told to do.
func hintFor(operation, target, rule string, may Suggestions) string {
	if !audit.IsPlain(strings.NewReplacer("[", "", "]", "").Replace(target)) { // of IPv6
		return ""
	}
	switch {
	case rule == "network.default" && (operation == "connect" || operation == "sendto" || operation == "resolve"):
		if may.SuggestsNetwork(target) {
			return "--allow-net=" + target
		}
	case rule == "files.write" && operation == "open":
		if directory := path.Dir(path.Clean(target)); may.SuggestsWrite(directory) {
			return "--allow-write=" + directory + " where you may write yourself"
		}
	}
	return ""
}
