package policy

import (
	"strconv"

	"github.com/pysandbox/pysandbox/internal/netrule"
	"github.com/pysandbox/pysandbox/policy/document"
)

func ruleSyntax() syntax[netrule.Rule] {
	parse := func(from source, text string) (netrule.Rule, error) {
		rule, err := netrule.Parse(text, "")
		rule.Origin = from.place.String()
		return rule, err
	}
	return textSyntax(`a rule such as "tcp://example.org:443"`, parse, func(rule netrule.Rule) string { return rule.Text })
}

func portSyntax() syntax[Port] {
	parse := func(_ source, text string) (Port, error) { return parsePort(text) }
	s := orNumber(textSyntax(`a port such as "tcp:6379" or 6379`, parse, Port.String))
	s.schema = func() map[string]any {
		return numberOr(map[string]any{"type": "string", "pattern": "^((tcp|udp):)?[1-9][0-9]{0,4}$"})
	}
	return s
}

func listenSyntax() syntax[Listen] {
	parse := func(_ source, text string) (Listen, error) { return parseListen(text) }
	s := orNumber(textSyntax(`"[tcp:][ADDRESS:]HOSTPORT[:GUESTPORT]", or a port`, parse, func(listen Listen) string { return listen.Text }))
	s.schema = func() map[string]any {
		return numberOr(map[string]any{"type": "string", "pattern": "^(tcp:|[0-9[])"})
	}
	return s
}

// orNumber is a syntax of texts that takes the number of a port for its text.
func orNumber[T any](s syntax[T]) syntax[T] {
	readText := s.read
	s.read = func(from source, node *document.Node) (T, error) {
		if node.Kind == document.Integer {
			return s.flag(from, strconv.FormatInt(node.Integer, 10))
		}
		return readText(from, node)
	}
	return s
}

func numberOr(text map[string]any) map[string]any {
	return map[string]any{"oneOf": []any{text, map[string]any{"type": "integer", "minimum": 1, "maximum": 65535}}}
}
