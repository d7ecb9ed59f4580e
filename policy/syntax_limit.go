package policy

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/pysandbox/pysandbox/policy/document"
)

// unlimited is the word that lifts a limit.
const unlimited = "none"

// sizeSyntax is a size above zero; where none is true, "none" lifts the limit.
func sizeSyntax(none bool) syntax[Size] {
	noun, pattern := `a size above zero such as "512MiB"`, `^[1-9][0-9]*([KMGTkmgt]([Ii][Bb])?)?$`
	if none {
		noun, pattern = noun+`, or "none"`, pattern+`|^none$`
	}
	parse := func(_ source, text string) (Size, error) {
		if none && text == unlimited {
			return 0, nil
		}
		size, err := ParseSize(text)
		if err == nil && size == 0 {
			err = expected(noun)
		}
		return size, err
	}
	s := textSyntax(noun, parse, func(size Size) string {
		if size == 0 {
			return unlimited
		}
		return size.String()
	})
	text := s.read
	s.read = func(from source, node *document.Node) (Size, error) {
		if node.Kind != document.Integer {
			return text(from, node)
		}
		if node.Integer <= 0 {
			return 0, wrongKind(noun, node)
		}
		return Size(node.Integer), nil
	}
	s.schema = func() map[string]any {
		return map[string]any{"oneOf": []any{
			map[string]any{"type": "string", "pattern": pattern},
			map[string]any{"type": "integer", "minimum": 1},
		}}
	}
	return s
}

func durationSyntax() syntax[time.Duration] {
	const noun = `a duration above zero such as "10s", "1m30s" or "500ms", or "none"`
	parse := func(_ source, text string) (time.Duration, error) {
		if text == unlimited {
			return 0, nil
		}
		duration, err := time.ParseDuration(text)
		if err != nil || duration <= 0 {
			return 0, expected(noun)
		}
		return duration, nil
	}
	s := textSyntax(noun, parse, showDuration)
	s.schema = func() map[string]any {
		return map[string]any{"type": "string", "pattern": `^([0-9]+(\.[0-9]+)?(h|m|s|ms|us|µs|ns))+$|^none$`}
	}
	return s
}

// showDuration writes a duration without the zero units that Go appends.
func showDuration(d time.Duration) string {
	if d == 0 {
		return unlimited
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// countSyntax is a whole number from 1 to highest; where none is true, "none"
// lifts the limit.
func countSyntax(highest int64, none bool) syntax[int] {
	noun := "a whole number from 1 to " + strconv.FormatInt(highest, 10)
	if none {
		noun += `, or "none"`
	}
	return syntax[int]{
		noun: noun,
		schema: func() map[string]any {
			number := map[string]any{"type": "integer", "minimum": 1, "maximum": highest}
			if none {
				return map[string]any{"oneOf": []any{number, map[string]any{"const": unlimited}}}
			}
			return number
		},
		show: func(count int) string {
			if count == 0 {
				return strconv.Quote(unlimited)
			}
			return strconv.Itoa(count)
		},
		read: func(_ source, node *document.Node) (int, error) {
			if none && node.Kind == document.String && node.Text == unlimited {
				return 0, nil
			}
			if node.Kind != document.Integer || node.Integer < 1 || node.Integer > highest {
				return 0, wrongKind(noun, node)
			}
			return int(node.Integer), nil
		},
		flag: func(_ source, text string) (int, error) {
			if none && text == unlimited {
				return 0, nil
			}
			number, err := strconv.ParseInt(text, 10, 64)
			if err != nil || number < 1 || number > highest {
				return 0, expected(noun)
			}
			return int(number), nil
		},
	}
}

// leastCores is what the kernel shares out: 1 ms of each period of 100 ms
// (kernel/sched/core.c, min_cfs_quota_period).
const leastCores = 0.01

// coresSyntax is a number of processors, fractions included.
func coresSyntax() syntax[float64] {
	const noun = "a number of cores from 0.01 on such as 1.5, or 0 for no quota"
	return syntax[float64]{
		noun:   noun,
		schema: func() map[string]any { return map[string]any{"type": "number", "minimum": 0} },
		show:   func(cores float64) string { return strconv.FormatFloat(cores, 'f', -1, 64) },
		read: func(_ source, node *document.Node) (float64, error) {
			cores := node.Float
			if node.Kind == document.Integer {
				cores = float64(node.Integer)
			}
			isNumber := node.Kind == document.Integer || node.Kind == document.Float
			if !isNumber || !(cores == 0 || cores >= leastCores) || math.IsInf(cores, 0) {
				return 0, wrongKind(noun, node)
			}
			return cores, nil
		},
	}
}

func booleanSyntax() syntax[bool] {
	const noun = "true or false"
	return syntax[bool]{
		noun:   noun,
		schema: func() map[string]any { return map[string]any{"type": "boolean"} },
		show:   strconv.FormatBool,
		read: func(_ source, node *document.Node) (bool, error) {
			if node.Kind != document.Boolean {
				return false, wrongKind(noun, node)
			}
			return node.Boolean, nil
		},
	}
}
