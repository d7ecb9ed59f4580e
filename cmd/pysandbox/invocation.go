package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/plan"
	"github.com/pysandbox/pysandbox/supervisor"
)

// separate puts "--" behind the value of -c CODE and -m MODULE, where a Python
// command line ends its own options: what follows belongs to the program. A
// line that has neither before its first positional is returned as it is.
func separate(flags *pflag.FlagSet, args []string) []string {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if len(arg) < 2 || arg[0] != '-' || arg == "--" {
			return args
		}
		flag, attached := valueFlag(flags, arg)
		if flag == nil {
			continue
		}
		if !attached {
			i++ // the next argument is its value
		}
		if i >= len(args) {
			return args // there is none, which the parser of flags says
		}
		if flag.Name == flagCode || flag.Name == flagModule {
			end := min(i+1, len(args))
			return append(append(args[:end:end], "--"), args[end:]...)
		}
	}
	return args
}

// valueFlag finds the flag in one argument that takes a value, and whether the
// value stands in the same argument. It is nil when no flag of arg takes one.
func valueFlag(flags *pflag.FlagSet, arg string) (flag *pflag.Flag, attached bool) {
	if long, ok := strings.CutPrefix(arg, "--"); ok {
		name, _, attached := strings.Cut(long, "=")
		if flag := flags.Lookup(name); flag != nil && (attached || flag.NoOptDefVal == "") {
			return flag, attached
		}
		return nil, false
	}
	for i := 1; i < len(arg); i++ {
		if flag := flags.ShorthandLookup(arg[i : i+1]); flag != nil && flag.NoOptDefVal == "" {
			return flag, i+1 < len(arg)
		}
	}
	return nil, false
}

// The long names of -c and -m.
const (
	flagCode   = "code"
	flagModule = "module"
)

// programFlags are the flags that name a program, in Python's letters.
type programFlags struct{ code, module, channel string }

func (p *programFlags) register(flags *pflag.FlagSet) {
	flags.SetInterspersed(false)
	flags.StringVarP(&p.code, flagCode, "c", "", "run `CODE`; what follows is for the program")
	flags.VarP((*text)(&p.module), flagModule, "m", "run `MODULE` as a script; what follows is for the program")
}

// invocation reads which program is to be run from the flags and the
// positional arguments of cmd.
func (p *programFlags) invocation(cmd *cobra.Command, args []string) (plan.Invocation, error) {
	directory, err := workingDirectory()
	if err != nil {
		return plan.Invocation{}, err
	}
	inv := plan.Invocation{
		Args:      args,
		Directory: directory,
		Env:       environment(os.Environ()),
		Terminal:  anyTerminal(),
		Client:    p.channel != "",
	}
	switch {
	case cmd.Flags().Changed(flagCode):
		inv.Kind, inv.Argument = plan.RunCode, p.code
	case cmd.Flags().Changed(flagModule):
		inv.Kind, inv.Argument = plan.RunModule, p.module
	case len(args) == 0 && cmd.ArgsLenAtDash() == 0:
		return plan.Invocation{}, misuse("pysandbox exec -- COMMAND [args]", "no command follows --")
	case cmd.ArgsLenAtDash() == 0:
		inv.Kind, inv.Argument, inv.Args = plan.RunProgram, args[0], args[1:]
	case len(args) == 0 || args[0] == "-":
		// As python3 does: a session on a terminal, otherwise the program
		// is read from standard input.
		inv.Kind = plan.RunInput
		inv.Args = args[min(1, len(args)):]
	default:
		inv.Kind, inv.Argument, inv.Args = plan.RunScript, filepath.Join(directory, args[0]), args[1:]
		if filepath.IsAbs(args[0]) {
			inv.Argument = filepath.Clean(args[0])
		}
		if err := checkScript(args[0], spawnsAny(cmd)); err != nil {
			return plan.Invocation{}, err
		}
	}
	return inv, nil
}

func workingDirectory() (string, error) {
	directory, err := os.Getwd()
	if err != nil {
		return "", misuse("run it from a directory that exists", "find the working directory: %s", cause(err))
	}
	return directory, nil
}

// checkScript refuses a script that Python could not read, before anything is
// started. The status is a shell's: 127 when there is no such file, 126 when
// it cannot be read as a script. spawns is whether the line has --allow-spawn without
// a value.
func checkScript(path string, spawns bool) error {
	info, err := os.Stat(path)
	shown := escape(path)
	switch {
	case path == "":
		return &failure{
			problem: "the name of the script is empty; the variable that it was made from may not be set",
			status:  supervisor.ExitNotFound,
		}
	case errors.Is(err, fs.ErrNotExist):
		if target, err := os.Readlink(path); err == nil {
			shown += ": it is a symbolic link to " + escape(target)
		}
		return &failure{problem: "script " + shown + ": no such file", hint: missingScriptHint(path, spawns), status: supervisor.ExitNotFound}
	case err != nil:
		return &failure{problem: "script " + shown + ": " + cause(err), status: supervisor.ExitNotExecutable}
	case info.IsDir():
		return &failure{
			problem: "script " + shown + ": is a directory",
			hint:    "to run the program in it: pysandbox exec --allow-read=" + shellQuote(path) + " " + shellQuote(filepath.Join(path, "__main__.py")),
			status:  supervisor.ExitNotExecutable,
		}
	case !info.Mode().IsRegular():
		return &failure{
			problem: "script " + shown + ": is not a regular file",
			hint:    "to read the program from standard input: pysandbox exec - < " + shellQuote(path),
			status:  supervisor.ExitNotExecutable,
		}
	case isProcess(path):
		return &failure{
			problem: "script " + shown + ": it is not there in the sandbox, which has descriptors and processes of its own",
			hint:    "to read the program from standard input: pysandbox exec - < " + shellQuote(path),
			status:  supervisor.ExitNotExecutable,
		}
	}
	if err := unix.Faccessat(unix.AT_FDCWD, path, unix.R_OK, unix.AT_EACCESS); err != nil {
		return &failure{problem: "script " + shown + ": " + err.Error(), hint: "chmod a+r " + shellQuote(path), status: supervisor.ExitNotExecutable}
	}
	return nil
}

// isProcess says whether a name is that of something in a process, such as /dev/fd/5
// or /proc/self/cwd/job.py.
func isProcess(name string) bool {
	clean := filepath.Clean(name)
	return strings.HasPrefix(clean, "/dev/fd/") || strings.HasPrefix(clean, "/proc/")
}

// missingScriptHint guesses what was meant by the name of a script that does
// not exist.
func missingScriptHint(name string, spawns bool) string {
	switch {
	case strings.ContainsAny(name, "/."):
		return ""
	case spawns:
		return "write --allow-spawn=" + name + " to let the program start " + name
	default:
		return "to run a program instead of a script: pysandbox exec -- " + name
	}
}

// spawnsAny says whether --allow-spawn is given without a value.
func spawnsAny(cmd *cobra.Command) bool {
	flag := cmd.Flags().Lookup("allow-spawn")
	if flag == nil {
		return false
	}
	programs, isList := flag.Value.(*list)
	return isList && slices.Contains(*programs, spawnAny)
}

// cause is the innermost reason of an error about a file, without the name.
func cause(err error) string {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err.Error()
	}
	return err.Error()
}

// environment turns "NAME=value" lines into a map. As in a shell, the last of
// two equal names counts.
func environment(lines []string) map[string]string {
	vars := make(map[string]string, len(lines))
	for _, line := range lines {
		if name, value, ok := strings.Cut(line, "="); ok {
			vars[name] = value
		}
	}
	return vars
}

func anyTerminal() bool {
	for fd := range 3 {
		if _, err := unix.IoctlGetTermios(fd, unix.TCGETS); err == nil {
			return true
		}
	}
	return false
}
