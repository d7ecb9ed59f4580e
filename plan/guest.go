package plan

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pysandbox/pysandbox/cpython-shim/python"
	"github.com/pysandbox/pysandbox/namespaces"
	"github.com/pysandbox/pysandbox/policy"
)

// guestDirectory is where the guest's own Python code lies inside. Nothing of
// the host's is ever shown there.
const guestDirectory = "/.pysandbox"

// modeNames are how the bootstrap is told what to run.
func modeNames() map[CommandKind]string {
	return map[CommandKind]string{RunScript: "script", RunCode: "code", RunModule: "module", RunInput: "input"}
}

// hasModuleRules says whether the policy restricts imports.
func hasModuleRules(p policy.Python) bool {
	return len(p.ModulesAllow)+len(p.ModulesDeny) > 0
}

// moduleKey is the key of the first rule on imports, or empty.
func moduleKey(p policy.Python) string {
	switch {
	case len(p.ModulesAllow) > 0:
		return policy.Item("python.modules.allow", 0)
	case len(p.ModulesDeny) > 0:
		return policy.Item("python.modules.deny", 0)
	default:
		return ""
	}
}

// needsGuest says whether the program is started by the bootstrap: for rules on
// imports and for a client. All other programs are started directly.
func needsGuest(pol *policy.Policy, inv Invocation) bool {
	return inv.Client || hasModuleRules(pol.Python)
}

// wrapCommand lets the bootstrap start what c would. It gets its mode, whether
// there is a client, what to run and the program's arguments; with a client and
// no program it serves the client.
func wrapCommand(c Command, pol *policy.Policy, inv Invocation) (Command, error) {
	if !needsGuest(pol, inv) {
		return c, nil
	}
	mode, known := modeNames()[inv.Kind]
	if !known || !c.Python {
		return Command{}, &policy.Problem{
			Key: moduleKey(pol.Python),
			Err: errors.New("rules on modules and --capabilities need a Python program given as SCRIPT, -c CODE, -m MODULE or on standard input"),
		}
	}
	client := "alone"
	if inv.Client {
		client = "client"
		if inv.Kind == RunInput {
			mode = "serve"
		}
	}
	argument := inv.Argument
	if inv.Kind == RunScript {
		argument = c.Script
	}
	c.Args = append([]string{guestDirectory + "/" + python.Boot, mode, client, argument}, inv.Args...)
	c.Guest = true
	return c, nil
}

// CheckGrants refuses a run whose policy names capabilities that nobody could
// give: only a client can.
func (p *Plan) CheckGrants() error {
	if len(p.Capabilities) == 0 || p.Invocation.Client {
		return nil
	}
	return wrong(policy.Item("capabilities.grant", 0), "only a client can give %s; start the program with the Python package pysandbox",
		strings.Join(p.Capabilities, ", "))
}

// guestOperations put the guest's code, and what it is told of the policy, into
// the tree.
func (p *Plan) guestOperations(h *Host, v *view) (namespaces.Program, error) {
	if !p.Command.Guest {
		return nil, nil
	}
	guest := python.Guest{Version: h.Interpreter.Version, Magic: h.Interpreter.Magic, Client: p.Invocation.Client}
	files, err := guest.Files()
	if err != nil {
		return nil, fmt.Errorf("read the guest's code: %w", err)
	}
	files = append(files, python.File{Path: "rules", Content: p.guestRules(h, v.tree)})
	var ops namespaces.Program
	for _, file := range files {
		ops = append(ops, namespaces.Op{
			Code: namespaces.OpFile, S1: guestDirectory + "/" + file.Path, Data: file.Content, N1: 0o444,
		})
	}
	return ops, nil
}
