package policy

import (
	"fmt"
	"strings"

	"github.com/pysandbox/pysandbox/configs"
	"github.com/pysandbox/pysandbox/internal/nearest"
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
	r := newReader()
	environment := ReadEnvironment(o.Env)
	r.compose(o, environment)
	if err := join(r.errs); err != nil {
		return Policy{}, err
	}
	r.policy.EnvUsed = environment.used(o)
	return *r.policy, nil
}

const flagPolicy = "--policy"

// compose applies every layer, the lowest first.
func (r *reader) compose(o Options, environment Environment) {
	layers := r.layers(o, environment)
	for _, l := range layers {
		r.layer(l)
		r.policy.Name = l.name
		r.policy.Layers = append(r.policy.Layers, l.name)
	}
	r.environment(environment, o)
	r.overrides(o.Overrides, o.Directory)
	r.finish()
}

// layers reads the presets and files that the options and variables name.
func (r *reader) layers(o Options, environment Environment) []layer {
	preset, presetFlag := pick(o.Preset, "--preset", environment.Preset, variablePreset)
	file, fileFlag := pick(o.File, flagPolicy, environment.Policy, variablePolicy)
	if file == "" {
		return r.presetChain(preset, presetFlag)
	}
	r.at = Place{Flag: fileFlag}
	top, err := r.fileLayer(file, o.Directory)
	if err != nil {
		r.failFlag(file, err)
		return nil
	}
	if entry, extends := top.root.Get("extends"); extends {
		if preset != "" && preset != entry.Value.Text {
			r.errs = append(r.errs, &Error{Place: Place{Flag: presetFlag}, Message: fmt.Sprintf(
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
		message := fmt.Sprintf("no preset is named %q", name)
		if strings.ContainsAny(name, "/.") {
			message += "; --policy names a file"
		}
		r.errs = append(r.errs, &Error{
			Place: Place{Flag: flag}, Message: message, Nearest: nearest.Name(name, configs.Names()),
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
	r.file, r.dir, r.at = "", o.Directory, Place{Flag: variablePython}
	const key = "python.interpreter"
	interpreter, _ := r.vocabulary.find(key)
	interpreter.form.flag(r, key, environment.Python)
	r.policy.Layers = append(r.policy.Layers, variablePython)
}
