package policy

import (
	"fmt"
	"strings"
)

// Overrides are the flags of exec that change a policy, as the caller wrote
// them. An empty string or list means that the flag was not given.
type Overrides struct {
	AllowNet, DenyNet     []string
	AllowRead, AllowWrite []string
	AllowEnv              []string // names
	Env                   []string // "NAME=VALUE"
	EnvFile               []string // files of "NAME=VALUE" lines; Env beats them
	AllowSpawn            []string // programs; "any" for a flag without a value
	HostLoopback          []string // "6379" or "tcp:6379"
	Listen                []string // "8000" or "tcp:[ADDRESS:]HOST[:GUEST]"

	Require, Python, Directory string
	Timeout, CPU, Memory, Pids string
	Output, TmpSize, FileSize  string
	OpenFiles                  string
}

// texts gives the values of a flag by its name, and whether it is known.
func (o Overrides) texts(flag string) ([]string, bool) {
	if values, isList := o.lists()[flag]; isList {
		return values, true
	}
	value, isScalar := o.scalars()[flag]
	if value == "" {
		return nil, isScalar
	}
	return []string{value}, true
}

func (o Overrides) lists() map[string][]string {
	return map[string][]string{
		"--allow-net": o.AllowNet, "--deny-net": o.DenyNet,
		"--allow-read": o.AllowRead, "--allow-write": o.AllowWrite,
		"--allow-env": o.AllowEnv, "--env": o.Env,
		"--allow-spawn":   o.AllowSpawn,
		"--host-loopback": o.HostLoopback, "--listen": o.Listen,
	}
}

func (o Overrides) scalars() map[string]string {
	return map[string]string{
		"--require": o.Require, "--python": o.Python, "--cwd": o.Directory,
		"--timeout": o.Timeout, "--cpu": o.CPU, "--memory": o.Memory, "--pids": o.Pids,
		"--output": o.Output, "--tmp-size": o.TmpSize, "--file-size": o.FileSize, "--open-files": o.OpenFiles,
	}
}

// given reports whether any flag was.
func (o Overrides) given() bool {
	for _, values := range o.lists() {
		if len(values) > 0 {
			return true
		}
	}
	for _, value := range o.scalars() {
		if value != "" {
			return true
		}
	}
	return len(o.EnvFile) > 0
}

// overrides adds the layer of the flags.
func (r *reader) overrides(o Overrides, dir string) {
	if !o.given() {
		return
	}
	r.policy.Layers = append(r.policy.Layers, "flags")
	r.file, r.dir, r.replacing = "", dir, false
	for _, file := range o.EnvFile {
		r.envFile(file)
	}
	for _, setting := range r.vocabulary {
		if setting.flag == "" {
			continue
		}
		r.at = Place{Flag: setting.flag}
		texts, _ := o.texts(setting.flag)
		for _, text := range texts {
			setting.form.flag(r, setting.key, text)
		}
	}
	r.at = Place{}
}

// envFile reads lines of NAME=VALUE, taken as they are, and of NAME alone, which
// passes the caller's variable. Empty lines and those that begin with "#" are
// skipped.
func (r *reader) envFile(name string) {
	r.at = Place{Flag: "--env-file"}
	path, err := absolute(r.flagSource(), name)
	if err != nil {
		r.failFlag(name, err)
		return
	}
	data, err := readVariables(path)
	if err != nil {
		r.failFlag(name, fmt.Errorf("read %s: %w", printable(name), unwrapPath(err)))
		return
	}
	set := table{func(p *Policy) *map[string]string { return &p.Env.Set }, variableSyntax(), freeTextSyntax()}
	pass := list[string]{func(p *Policy) *[]string { return &p.Env.Pass }, variableSyntax()}
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		line = strings.TrimRight(line, "\r\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		r.at = Place{File: name, Line: number, Column: 1}
		if strings.Contains(line, "=") {
			set.flag(r, "env.set", line)
		} else {
			pass.flag(r, "env.pass", line)
		}
	}
}
