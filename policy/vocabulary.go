package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pysandbox/pysandbox/internal/nearest"
)

// vocabulary is the table of settings, as keys are looked up in it. It is small,
// and searching it costs less than indexing it for the few keys of a policy.
type vocabulary []setting

// find returns the setting of a key such as "network.allow".
func (v vocabulary) find(key string) (setting, bool) {
	i := slices.IndexFunc(v, func(s setting) bool { return s.key == key })
	if i < 0 {
		return setting{}, false
	}
	return v[i], true
}

// isTable reports whether settings stand below key, such as "network".
func (v vocabulary) isTable(key string) bool {
	return slices.ContainsFunc(v, func(s setting) bool {
		return len(s.key) > len(key) && s.key[len(key)] == '.' && strings.HasPrefix(s.key, key)
	})
}

// names lists the keys that may stand in the table at prefix ("" or "network.").
func (v vocabulary) names(prefix string) []string {
	var names []string
	for _, s := range v {
		if rest, below := strings.CutPrefix(s.key, prefix); below {
			name, _, _ := strings.Cut(rest, ".")
			names = append(names, name)
		}
	}
	return slices.Compact(names)
}

// unknown is the error about a key that no setting has at prefix. It says where
// the key belongs if it is one of a single other table, or which key has the flag of
// that name, or else which key is most like it.
func (v vocabulary) unknown(prefix, key string, replacing bool) *Error {
	table := strings.TrimSuffix(prefix, ".")
	candidates := v.names(prefix)
	switch {
	case replacing:
		table = strings.TrimSuffix("replace."+table, ".")
	case prefix == "":
		candidates = append(candidates, "version", "extends", "replace")
	}
	err := &Error{Message: fmt.Sprintf("unknown key %q in [%s]", key, table), Nearest: nearest.Name(key, candidates)}
	if table == "" {
		err.Message = fmt.Sprintf("unknown key %q at the top level", key)
	}
	var homes []string
	for _, s := range v {
		if home, isHere := strings.CutSuffix(s.key, "."+key); isHere {
			homes = append(homes, home)
		}
	}
	if len(homes) == 1 {
		err.Message += "; it belongs to [" + homes[0] + "]"
		err.Nearest = ""
	}
	if meant := v.ofFlag(key); meant != "" && len(homes) != 1 && meant != prefix+err.Nearest {
		err.Message += "; what --" + strings.ReplaceAll(key, "_", "-") + " sets is " + meant
		err.Nearest = ""
	}
	return err
}

// ofFlag is the setting of the flag whose name somebody has taken for a key, or empty.
func (v vocabulary) ofFlag(key string) string {
	flag := "--" + strings.ReplaceAll(key, "_", "-")
	for _, s := range v {
		if s.flag == flag {
			return s.key
		}
	}
	if flag == "--preset" {
		return "extends"
	}
	return ""
}
