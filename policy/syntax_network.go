package policy

import (
	"github.com/pysandbox/pysandbox/internal/netrule"
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
	s := textSyntax(`a port such as "tcp:6379"`, parse, Port.String)
	s.schema = func() map[string]any {
		return map[string]any{"type": "string", "pattern": "^(tcp|udp):[1-9][0-9]{0,4}$"}
	}
	s.flag = func(from source, text string) (Port, error) {
		if _, err := portNumber(text); err == nil {
			text = "tcp:" + text
		}
		return parse(from, text)
	}
	return s
}

func listenSyntax() syntax[Listen] {
	parse := func(_ source, text string) (Listen, error) { return parseListen(text) }
	s := textSyntax(`"tcp:[ADDRESS:]HOSTPORT[:GUESTPORT]"`, parse, func(listen Listen) string { return listen.Text })
	s.schema = func() map[string]any { return map[string]any{"type": "string", "pattern": "^tcp:"} }
	s.flag = func(from source, text string) (Listen, error) {
		if _, err := portNumber(text); err == nil {
			text = "tcp:" + text
		}
		return parse(from, text)
	}
	return s
}
