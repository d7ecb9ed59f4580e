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
	v := vocabulary{map[string]setting{}, map[string]bool{}, map[string][]string{}}
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

// unknown is the error about a key that no table has at prefix, which is
// "replace." and more within [replace]. It says where the key belongs if it is
// one of a single other table, or which one is most like it.
func (v vocabulary) unknown(prefix, key string, replacing bool) *Error {
	table := strings.TrimSuffix(prefix, ".")
	candidates := v.names[prefix]
	switch {
	case !replacing && prefix == "":
		candidates = append([]string{"version", "extends", "replace"}, candidates...)
	case replacing:
		table = strings.TrimSuffix("replace."+table, ".")
	}
	err := &Error{Message: fmt.Sprintf("unknown key %q in [%s]", key, table), Nearest: nearest.Name(key, candidates)}
	if table == "" {
		err.Message = fmt.Sprintf("unknown key %q at the top level", key)
	}
	var homes []string
	for _, s := range settings() {
		if home, isHere := strings.CutSuffix(s.key, "."+key); isHere {
			homes = append(homes, home)
		}
	}
	if len(homes) == 1 {
		err.Message += "; it belongs to [" + homes[0] + "]"
		err.Nearest = ""
	}
	return err
}
