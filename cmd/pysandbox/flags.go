package main

import (
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/pysandbox/pysandbox/policy"
)

// policyFlags are the flags that choose a policy and make its last layer. They
// stay text: package policy reads them, so that a flag and the key of a file
// accept the same words.
type policyFlags struct {
	file, preset string
	overrides    policy.Overrides
}

// spawnAny is the value of --allow-spawn without a value.
const spawnAny = "any"

func (f *policyFlags) register(flags *pflag.FlagSet) {
	flags.SortFlags = false
	o := &f.overrides

	flags.Var((*file)(&f.file), "policy", "read the policy in `FILE` (TOML or JSON)")
	flags.Var((*text)(&f.preset), "preset", "start from preset `NAME`: strict, http-only, web-client or worker (default strict)")
	flags.Var((*text)(&o.Require), "require", "refuse to start below `TIER`: full, container or minimal (default full)")

	flags.Var((*list)(&o.AllowNet), "allow-net", "allow connections to `RULE`, as in tcp://198.51.100.7:443")
	flags.Var((*list)(&o.DenyNet), "deny-net", "deny connections to `RULE`; beats every --allow-net")
	flags.Var((*list)(&o.HostLoopback), "host-loopback", "forward `PORT` of the host's loopback, as in 6379 or tcp:6379")
	flags.Var((*list)(&o.Listen), "listen", "publish `PORT` on the host, as in 8000, 9001:8000 (8000 inside) or 127.0.0.1:8000")

	flags.Var((*list)(&o.AllowRead), "allow-read", "let the program read `PATH` and what is below it")
	flags.Var((*list)(&o.AllowWrite), "allow-write", "let the program write `PATH` and what is below it")
	flags.Var((*list)(&o.AllowEnv), "allow-env", "pass the environment variable `NAME`")
	flags.Var((*list)(&o.Env), "env", "set an environment variable, `NAME=VALUE`")
	flags.Var((*list)(&o.EnvFile), "env-file", "set the environment variables in `FILE`, one NAME=VALUE a line")
	flags.Var((*list)(&o.AllowSpawn), "allow-spawn", "let the program start `PROG`, or without a value any program of the system")
	flags.Lookup("allow-spawn").NoOptDefVal = spawnAny

	flags.Var((*text)(&o.Python), "python", "run the interpreter `PYTHON`: a name, path, version or venv directory (default python3)")
	flags.Var((*text)(&o.Directory), "cwd", "start in `DIR`")

	flags.Var((*text)(&o.Timeout), "timeout", "end the run after `DURATION`, as in 10s")
	flags.Var((*text)(&o.CPU), "cpu", "end the run after `DURATION` of CPU time, as in 5s")
	flags.Var((*text)(&o.Memory), "memory", "limit the memory of all processes to `SIZE`, as in 512M")
	flags.Var((*text)(&o.Pids), "pids", "limit processes and threads to `N`")
	flags.Var((*text)(&o.Output), "output", "end the run after `SIZE` of output, as in 1M")
	flags.Var((*text)(&o.TmpSize), "tmp-size", "limit /tmp to `SIZE`")
	flags.Var((*text)(&o.FileSize), "file-size", "limit each file to `SIZE`")
	flags.Var((*text)(&o.OpenFiles), "open-files", "limit open files of each process to `N`")
}

// load makes the policy that the flags, the caller's variables and the files
// they name amount to. Relative paths of flags are relative to directory.
func (f *policyFlags) load(directory string) (policy.Policy, error) {
	return policy.Load(policy.Options{
		File:      f.file,
		Preset:    f.preset,
		Directory: directory,
		Overrides: f.overrides,
		Env:       os.LookupEnv,
	})
}

// concerned returns the warnings about modules, about sockets, about files and about
// limits that this host holds less well than the operator asked, and what would accept
// the last, or empty. A limit of a preset's is nobody's wish, and one that a file of the
// operator's accepts (limits.best_effort) is not told of, whoever set it; explain shows
// them all.
func concerned(warnings []*policy.Problem, p *policy.Policy) (texts []string, hint string) {
	var limits []string
	for _, warning := range warnings {
		limit, isLimit := strings.CutPrefix(warning.Key, "limits.")
		if isLimit && (!p.Origins.Chosen(warning.Key) || p.AcceptsLess(limit)) {
			continue
		}
		byFlag := strings.HasPrefix(p.Origins[warning.Key].Flag, "--")
		named := strings.HasPrefix(warning.Key, "python.modules.") || strings.HasPrefix(warning.Key, "network.unix[") ||
			strings.HasPrefix(warning.Key, "files.")
		if !isLimit && !byFlag && !named {
			continue
		}
		texts = append(texts, p.Origins.Locate(warning).Error())
		if isLimit && slices.Contains(policy.Degradable(), limit) && !slices.Contains(limits, strconv.Quote(limit)) {
			limits = append(limits, strconv.Quote(limit))
		}
	}
	if len(limits) > 0 {
		hint = "a policy file may accept that: limits.best_effort = [" + strings.Join(limits, ", ") + "]"
	}
	return texts, hint
}

// slips are the warnings of what is valid and likely meant otherwise.
func slips(p *policy.Policy) []string {
	var texts []string
	for _, slip := range p.Slips() {
		texts = append(texts, slip.Error())
	}
	return texts
}
