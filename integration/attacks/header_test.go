package attacks

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// header is what the comment at the head of an attack says:
//
//	"""MSG_FASTOPEN connects without connect(2).
//
//	attacks: the filter on connect
//	effect: the canary outside accepts a connection
//	refused: EOPNOTSUPP
//	topic: other doors to TCP
//	"""
type header struct {
	title   string
	attacks string   // the part of the sandbox
	effect  string   // what happens without it
	refused []string // the errnos that the sandbox may give; any if it does not say
	topic   string   // of the threat model
}

// readHeader reads the head of a program and fails the test if it lacks a line.
func readHeader(t *testing.T, program string) header {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("corpus", program+".py"))
	if err != nil {
		t.Fatal(err)
	}
	head, found := strings.CutPrefix(string(text), `"""`)
	head, _, closed := strings.Cut(head, `"""`)
	if !found || !closed {
		t.Fatalf("%s does not begin with its description", program)
	}
	title, rest, _ := strings.Cut(head, "\n")
	h := header{title: title}
	fields := map[string]*string{"attacks": &h.attacks, "effect": &h.effect, "topic": &h.topic}
	for line := range strings.Lines(rest) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		if field := fields[key]; field != nil {
			*field = value
		}
		if key == "refused" {
			h.refused = strings.Split(value, ", ")
		}
	}
	for key, value := range fields {
		if *value == "" {
			t.Errorf("%s does not say %q in its head", program, key)
		}
	}
	return h
}

// TestEveryProgramIsRun keeps an attack from lying in the corpus unused.
func TestEveryProgramIsRun(t *testing.T) {
	used := map[string]bool{"kit": true}
	for _, table := range tables() {
		for _, a := range table {
			used[a.program] = true
		}
	}
	for _, name := range runByHand() {
		used[name] = true
	}
	files, err := filepath.Glob("corpus/*.py")
	if err != nil || len(files) < 2 {
		t.Fatalf("the corpus has %d programs: %v", len(files), err)
	}
	for _, file := range files {
		if !used[strings.TrimSuffix(filepath.Base(file), ".py")] {
			t.Errorf("no test runs %s", file)
		}
	}
}
