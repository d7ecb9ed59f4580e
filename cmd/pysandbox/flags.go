package main

import (
	"github.com/spf13/pflag"
)

// policyFlags are the flags that make the last layer of a policy, as text. The
// policy room reads them, so that a flag and the key of a file accept the same
// words.
type policyFlags struct {
	file, preset, require, python, directory string

	allowNet, denyNet, hostLoopback, listen []string
	allowRead, allowWrite                   []string
	allowEnv, env, envFile                  []string
	allowSpawn                              []string
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

	flags.StringArrayVar(&f.allowNet, "allow-net", nil, "allow connections to `RULE`, as in tcp://example.org:443")
	flags.StringArrayVar(&f.denyNet, "deny-net", nil, "deny connections to `RULE`; beats every --allow-net")
	flags.StringArrayVar(&f.hostLoopback, "host-loopback", nil, "forward `PORT` of the host's loopback, as in 6379 or tcp:6379")
	flags.StringArrayVar(&f.listen, "listen", nil, "publish `PORT` on the host, as in 8000 or tcp:127.0.0.1:8000")

	flags.StringArrayVar(&f.allowRead, "allow-read", nil, "let the program read `PATH` and what is below it")
	flags.StringArrayVar(&f.allowWrite, "allow-write", nil, "let the program write `PATH` and what is below it")
	flags.StringArrayVar(&f.allowEnv, "allow-env", nil, "pass the environment variable `NAME`")
	flags.StringArrayVar(&f.env, "env", nil, "set an environment variable, `NAME=VALUE`")
	flags.StringArrayVar(&f.envFile, "env-file", nil, "set the environment variables in `FILE`, one NAME=VALUE a line")
	flags.StringArrayVar(&f.allowSpawn, "allow-spawn", nil, "let the program start `PROG`, or without a value any program of the system")
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
