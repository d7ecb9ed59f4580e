package policy

import (
	"fmt"
	"strings"

	"github.com/pysandbox/pysandbox/internal/nearest"
)

// vocabulary is the table of settings, made ready for looking keys up.
type vocabulary struct {
	settings map[string]setting
	tables   map[string]bool     // "network", "network.dns"
	names    map[string][]string // by prefix ("", "network."): the keys that may stand there
}

func newVocabulary() vocabulary {
	v := vocabulary{map[string]setting{}, map[string]bool{}, map[string][]string{"": {"version", "extends", "replace"}}}
	for _, s := range settings() {
		v.settings[s.key] = s
		prefix := ""
		for part := range strings.SplitSeq(s.key, ".") {
			if key := prefix + part; !v.tables[key] {
				v.tables[key] = key != s.key
				v.names[prefix] = append(v.names[prefix], part)
			}
			prefix += part + "."
		}
	}
	return v
}

// unknown is the message about a key that is not in the vocabulary; it says
// where the key belongs if it is one of a single other table.
func (v vocabulary) unknown(prefix, key string) string {
	table := "at the top level"
	if prefix != "" {
		table = "in [" + strings.TrimSuffix(prefix, ".") + "]"
	}
	message := fmt.Sprintf("unknown key %q %s", key, table)
	var homes []string
	for _, s := range settings() {
		if home, isHere := strings.CutSuffix(s.key, "."+key); isHere {
			homes = append(homes, home)
		}
	}
	if len(homes) == 1 {
		message += "; it belongs to [" + homes[0] + "]"
	}
	return message
}

func (v vocabulary) nearest(prefix, key string) string {
	return nearest.Name(key, v.names[prefix])
}
