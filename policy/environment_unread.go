package policy

import (
	"maps"
	"slices"
	"strings"

	"github.com/pysandbox/pysandbox/internal/nearest"
)

// Unread are warnings about the caller's variables that have no effect, though their
// names say that one is wanted: of a name like that of a variable that is read, or of
// the name of a flag which narrows a policy. What else is named PYSANDBOX_* may be for
// another program.
func Unread(variables map[string]string) []string {
	const ours = "PYSANDBOX_"
	var read []string
	for _, name := range []string{variablePolicy, variablePreset, variablePython, variableReport, variableAudit, variableBinary} {
		read = append(read, strings.TrimPrefix(name, ours))
	}
	var warnings []string
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		rest, is := strings.CutPrefix(name, ours)
		if !is || variables[name] == "" || slices.Contains(read, rest) {
			continue
		}
		flag := "--" + strings.ReplaceAll(strings.ToLower(rest), "_", "-")
		if near := nearest.Name(rest, read); near != "" {
			warnings = append(warnings, name+" is not read; did you mean "+ours+near+"?")
		} else if narrows(flag) {
			warnings = append(warnings, name+" is not read; "+flag+" on the command line sets that")
		}
	}
	return warnings
}

// narrows is whether a flag sets a limit or denies something.
func narrows(flag string) bool {
	return slices.ContainsFunc(settings(), func(s setting) bool {
		return s.flag == flag && (strings.HasPrefix(s.key, "limits.") || s.key == "network.deny")
	})
}
