package policy

import (
	"fmt"
	"strings"

	"github.com/pysandbox/pysandbox/policy/document"
)

// spawnAny is the text of --allow-spawn where it names no program.
const spawnAny = "any"

// spawn is process.spawn: a boolean overrides what came before it, a list
// appends to a list and takes the place of a boolean.
type spawn struct{}

func (spawn) programs() list[string] {
	return list[string]{func(p *Policy) *[]string { return &p.Process.Spawn }, programSyntax()}
}

func (f spawn) read(r *reader, key string, node *document.Node) {
	switch node.Kind {
	case document.Boolean:
		if r.replacing {
			r.fail(key, node, wrongKind("a list of programs", node))
			return
		}
		r.policy.Process.SpawnAny = node.Boolean
		r.policy.Process.Spawn = nil
		r.origins()[key] = r.source(node).place
	case document.Array:
		r.policy.Process.SpawnAny = false
		f.programs().read(r, key, node)
	default:
		r.fail(key, node, wrongKind(f.noun(), node))
	}
}

func (f spawn) flag(r *reader, key, text string) {
	if text == spawnAny {
		r.policy.Process.SpawnAny = true
		r.origins()[key] = r.flagSource().place
		return
	}
	switch strings.ToLower(text) {
	case "1", "on":
		r.failFlag(text, fmt.Errorf("%q is no program; --allow-spawn without a value allows any program of the system", text))
	case "0", "off", "no":
		r.failFlag(text, fmt.Errorf("%q is no program; leave --allow-spawn out to allow none", text))
	default:
		f.programs().flag(r, key, text)
	}
}

// spawnSlips are the programs of --allow-spawn that are likely meant as yes or no, with
// their places.
func (p *Policy) spawnSlips() []*Error {
	var slips []*Error
	for i, program := range p.Process.Spawn {
		meaning := map[string]string{
			"true":  "--allow-spawn without a value allows any program of the system",
			"yes":   "--allow-spawn without a value allows any program of the system",
			"false": "without --allow-spawn there is none",
		}[program]
		place := p.Origins[Item("process.spawn", i)]
		if meaning == "" || place.Flag == "" || p.Process.SpawnAny {
			continue
		}
		slips = append(slips, &Error{Place: place, Message: fmt.Sprintf(
			"%q is the program of that name; %s, and /bin/%s says that the program is meant",
			program, meaning, program)})
	}
	return slips
}

func (spawn) collects() bool { return true }
func (spawn) noun() string   { return "true, false or a list of programs" }

func (f spawn) schema() map[string]any {
	return map[string]any{"oneOf": []any{map[string]any{"type": "boolean"}, f.programs().schema()}}
}

func (f spawn) show(p *Policy) string {
	if len(p.Process.Spawn) > 0 {
		return f.programs().show(p)
	}
	return booleanSyntax().show(p.Process.SpawnAny)
}
