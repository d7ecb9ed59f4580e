package policy

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/pysandbox/pysandbox/configs"
	"github.com/pysandbox/pysandbox/internal/nearest"
	"github.com/pysandbox/pysandbox/internal/netrule"
)

// Options say which layers make a policy.
type Options struct {
	File      string // --policy, TOML or JSON; relative to Directory
	Preset    string // --preset
	Directory string // the caller's, absolute; what relative paths of flags are relative to
	Overrides Overrides

	// Env looks a variable of the caller up, as os.LookupEnv does. Nil means
	// that there are none.
	Env func(string) (string, bool)
}

// Load makes the policy of a run: the preset, then the file with what it
// extends, then the PYSANDBOX_* variables, then the flags. Lists append and
// scalars override. A file that extends nothing rests on the default preset.
//
// The error joins every mistake, each an *Error, at most 20 of them.
func Load(o Options) (Policy, error) {
	r := &reader{policy: &Policy{}}
	environment := ReadEnvironment(o.Env)
	layers := r.layers(o, environment)
	for _, l := range layers {
		r.layer(l)
		r.policy.Layers = append(r.policy.Layers, l.name)
	}
	r.environment(environment, o)
	r.overrides(o.Overrides, o.Directory)
	if o.Overrides.given() {
		r.policy.Layers = append(r.policy.Layers, "flags")
	}
	if len(layers) > 0 {
		r.policy.Name = layers[len(layers)-1].name
	}
	r.policy.EnvUsed = environment.used(o)
	r.finish()
	if err := join(r.errs); err != nil {
		return Policy{}, err
	}
	return *r.policy, nil
}

// layers reads the presets and files that the options and variables name.
func (r *reader) layers(o Options, environment Environment) []layer {
	preset, presetFlag := pick(o.Preset, "--preset", environment.Preset, variablePreset)
	file, fileFlag := pick(o.File, "--policy", environment.Policy, variablePolicy)
	if file == "" {
		return r.presetChain(preset, presetFlag)
	}
	r.flagName = fileFlag
	top, err := r.fileLayer(file, o.Directory)
	if err != nil {
		r.failFlag(file, err)
		return nil
	}
	if entry, extends := top.root.Get("extends"); extends {
		if preset != "" {
			r.errs = append(r.errs, &Error{Flag: presetFlag, Message: fmt.Sprintf(
				"%s already extends %q; name one base for it", file, entry.Value.Text)})
		}
		return r.chain(top)
	}
	return append(r.presetChain(preset, presetFlag), top)
}

// pick returns a flag's value, or else a variable's, with the name of the one
// that it came from.
func pick(flag, flagName, variable, variableName string) (value, name string) {
	if flag == "" && variable != "" {
		return variable, variableName
	}
	return flag, flagName
}

func (r *reader) presetChain(name, flag string) []layer {
	if name == "" {
		name = configs.Default
	}
	top, found := presetLayer(name)
	if !found {
		r.errs = append(r.errs, &Error{
			Flag: flag, Message: fmt.Sprintf("no preset is named %q", name), Nearest: nearest.Name(name, configs.Names()),
		})
		return nil
	}
	return r.chain(top)
}

// environment adds the layer of the variables, which is one setting.
func (r *reader) environment(environment Environment, o Options) {
	if environment.Python == "" || o.Overrides.Python != "" {
		return
	}
	r.file, r.dir, r.flagName = "", o.Directory, variablePython
	newVocabulary().settings["python.interpreter"].form.flag(r, environment.Python)
}

// finish numbers the rules, fills what no layer said and holds the whole against
// itself.
func (r *reader) finish() {
	p := r.policy
	number := func(rules []netrule.Rule, list string) {
		for i := range rules {
			rules[i].ID = list + "[" + strconv.Itoa(i) + "]"
		}
	}
	number(p.Network.Rules.Allow, "network.allow")
	number(p.Network.Rules.Deny, "network.deny")
	if p.Require == "" {
		p.Require = "full"
	}
	if p.Network.Errno == "" {
		p.Network.Errno = "EACCES"
	}
	for _, err := range unjoin(p.Network.Rules.Validate()) {
		var conflict *netrule.RuleError
		if errors.As(err, &conflict) {
			mistake := r.places[conflict.Rule.Origin]
			mistake.Message = conflict.Error()
			r.errs = append(r.errs, &mistake)
		}
	}
}

// unjoin lists the errors that errors.Join put together.
func unjoin(err error) []error {
	if joined, isJoined := err.(interface{ Unwrap() []error }); isJoined { //nolint:errorlint // the join itself is meant
		return joined.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}
