package main

import (
	"github.com/spf13/pflag"
)

// policyFlags are the flags that make the last layer of a policy, as text. The
// policy room reads them, so that a flag and the key of a file accept the same
// words.
type policyFlags struct {
	file, preset, require, python, directory string

	allowNet, denyNet, hostLoopback, listen list
	allowRead, allowWrite                   list
	allowEnv, env, envFile                  list
	allowSpawn                              list
	timeout, cpu, memory, output, pids      string
	tmpSize, fileSize, openFiles            string
}

// spawnAny is the value of --allow-spawn without a value.
const spawnAny = "any"

func (f *policyFlags) register(flags *pflag.FlagSet) {
	flags.SortFlags = false

	flags.StringVar(&f.file, "policy", "", "read the policy in `FILE` (TOML or JSON)")
	flags.StringVar(&f.preset, "preset", "", "start from preset `NAME`: strict, http-only, web-client or worker (default strict)")
	flags.StringVar(&f.require, "require", "", "refuse to start below `TIER`: full, container or minimal (default full)")

	flags.Var(&f.allowNet, "allow-net", "allow connections to `RULE`, as in tcp://example.org:443")
	flags.Var(&f.denyNet, "deny-net", "deny connections to `RULE`; beats every --allow-net")
	flags.Var(&f.hostLoopback, "host-loopback", "forward `PORT` of the host's loopback, as in 6379 or tcp:6379")
	flags.Var(&f.listen, "listen", "publish `PORT` on the host, as in 8000 or tcp:127.0.0.1:8000")

	flags.Var(&f.allowRead, "allow-read", "let the program read `PATH` and what is below it")
	flags.Var(&f.allowWrite, "allow-write", "let the program write `PATH` and what is below it")
	flags.Var(&f.allowEnv, "allow-env", "pass the environment variable `NAME`")
	flags.Var(&f.env, "env", "set an environment variable, `NAME=VALUE`")
	flags.Var(&f.envFile, "env-file", "set the environment variables in `FILE`, one NAME=VALUE a line")
	flags.Var(&f.allowSpawn, "allow-spawn", "let the program start `PROG`, or without a value any program of the system")
	flags.Lookup("allow-spawn").NoOptDefVal = spawnAny

	flags.StringVar(&f.python, "python", "", "run the interpreter `PYTHON`: a name, path, version or venv directory (default python3)")
	flags.StringVar(&f.directory, "cwd", "", "start in `DIR`")

	flags.StringVar(&f.timeout, "timeout", "", "end the run after `DURATION`, as in 10s")
	flags.StringVar(&f.cpu, "cpu", "", "end the run after `DURATION` of CPU time, as in 5s")
	flags.StringVar(&f.memory, "memory", "", "limit the memory of all processes to `SIZE`, as in 512M")
	flags.StringVar(&f.pids, "pids", "", "limit processes and threads to `N`")
	flags.StringVar(&f.output, "output", "", "end the run after `SIZE` of output, as in 1M")
	flags.StringVar(&f.tmpSize, "tmp-size", "", "limit /tmp to `SIZE`")
	flags.StringVar(&f.fileSize, "file-size", "", "limit each file to `SIZE`")
	flags.StringVar(&f.openFiles, "open-files", "", "limit open files of each process to `N`")
}
