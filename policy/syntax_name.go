package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pysandbox/pysandbox/internal/errnos"
	"github.com/pysandbox/pysandbox/internal/nearest"
	"github.com/pysandbox/pysandbox/seccomp"
)

// Degradable lists the limits that limits.best_effort may name: those that need
// more of a host than every host gives.
func Degradable() []string {
	return []string{"cpu", "cpu_quota", "memory", "pids"}
}

// unknownName is an error about a word that should have been one of a list.
type unknownName struct {
	message string
	nearest string
}

func (e *unknownName) Error() string { return e.message }

// choiceSyntax is one of a few words.
func choiceSyntax(words ...string) syntax[string] {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = strconv.Quote(word)
	}
	noun := strings.Join(quoted[:len(quoted)-1], ", ") + " or " + quoted[len(quoted)-1]
	s := textSyntax(noun, func(_ source, text string) (string, error) {
		if !slices.Contains(words, text) {
			return "", &unknownName{fmt.Sprintf("expected %s, found %q", noun, text), nearest.Name(text, words)}
		}
		return text, nil
	}, plain)
	s.schema = func() map[string]any { return map[string]any{"enum": words} }
	return s
}

func plain(text string) string { return text }

func errnoSyntax() syntax[string] {
	s := textSyntax(`the name of an error such as "EACCES"`, func(_ source, text string) (string, error) {
		if _, known := errnos.Number(text); !known {
			return "", &unknownName{fmt.Sprintf("no error is named %q", text), nearest.Name(text, errnos.Names())}
		}
		return text, nil
	}, plain)
	s.schema = func() map[string]any { return map[string]any{"type": "string", "pattern": "^E[A-Z0-9]+$"} }
	return s
}

// syscallSyntax is the name of a system call whose errno may be set.
func syscallSyntax() syntax[string] {
	return textSyntax("the name of a system call", func(_ source, text string) (string, error) {
		_, err := seccomp.WithSyscalls(seccomp.FilterSpec{}, nil, map[string]string{text: "EPERM"})
		return text, err
	}, plain)
}

// callOrLayerSyntax is the name of a system call or of a layer, for allowing it.
func callOrLayerSyntax() syntax[string] {
	return textSyntax("the name of a system call or layer", func(_ source, text string) (string, error) {
		_, err := seccomp.WithSyscalls(seccomp.FilterSpec{}, []string{text}, nil)
		return text, err
	}, plain)
}
