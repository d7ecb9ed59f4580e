package plan

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/pysandbox/pysandbox/policy"
)

// Command is the program of a plan.
type Command struct {
	// Python says that the program is an interpreter; Interpreter is then how
	// the operator names it, and Release the release that the command line
	// insists on ("3.12"), or empty.
	Python      bool
	Interpreter string
	Release     string
	Same        string `json:",omitempty"` // a path by which the command line names it; Resolve holds that it leads there

	Guest bool `json:",omitempty"` // the guest's bootstrap starts it

	Program string   // name or absolute path of a program that is not Python
	Script  string   // absolute path of the file that Python runs, or empty
	Args    []string // what follows the program's own name
}

// maxArgument is the longest argument that execve(2) takes, MAX_ARG_STRLEN
// without the ending NUL.
const maxArgument = 32*4096 - 1

// compileCommand reads an invocation. Python runs as it does outside: no option
// is added, so sys.path, sys.argv and the user's site directory mean the same.
func compileCommand(pol *policy.Policy, inv Invocation) (Command, error) {
	if err := checkInvocation(inv); err != nil {
		return Command{}, err
	}
	c := Command{Python: true, Interpreter: pol.Python.Interpreter}
	switch inv.Kind {
	case RunScript:
		c.Script = path.Clean(inv.Argument)
		c.Args = []string{c.Script}
	case RunCode:
		c.Args = []string{"-c", inv.Argument}
	case RunModule:
		c.Args = []string{"-m", inv.Argument}
	case RunInput:
		if len(inv.Args) > 0 {
			c.Args = []string{"-"}
		}
	case RunProgram:
		return wrapCommand(compileProgram(pol, inv), pol, inv)
	default:
		return Command{}, errors.New("there is no command to run; name a script, -c CODE, -m MODULE or -- COMMAND")
	}
	c.Args = append(c.Args, inv.Args...)
	return wrapCommand(c, pol, inv)
}

func checkInvocation(inv Invocation) error {
	for _, word := range slices.Concat([]string{inv.Argument}, inv.Args) {
		switch {
		case strings.IndexByte(word, 0) >= 0:
			return fmt.Errorf("the argument %.40q holds a NUL, which ends an argument in the kernel", word)
		case len(word) > maxArgument:
			return fmt.Errorf("an argument has %d bytes, execve(2) takes at most %d; put it in a file and pass its path", len(word), maxArgument)
		}
	}
	switch {
	case !path.IsAbs(inv.Directory):
		return fmt.Errorf("the caller's directory %q is not an absolute path", inv.Directory)
	case inv.Kind == RunScript && !path.IsAbs(inv.Argument):
		return fmt.Errorf("the script %q is not an absolute path", inv.Argument)
	case inv.Kind == RunModule && inv.Argument == "":
		return errors.New("-m needs the name of a module")
	case inv.Kind == RunProgram && inv.Argument == "":
		return errors.New("no command follows --")
	}
	return nil
}

// compileProgram reads "-- COMMAND [args]". A COMMAND that is a Python means the
// interpreter of the policy, so that a command line that works outside works
// inside, and the script on it is readable as it is for exec SCRIPT.
func compileProgram(pol *policy.Policy, inv Invocation) Command {
	name := inv.Argument
	if strings.Contains(name, "/") && !path.IsAbs(name) {
		name = path.Join(inv.Directory, name)
	}
	release, python := pythonRelease(path.Base(name))
	if !python && name != pol.Python.Interpreter {
		return Command{Program: name, Args: inv.Args}
	}
	c := Command{Python: true, Interpreter: pol.Python.Interpreter, Release: release}
	byDefault := slices.Contains([]string{"", "python", "python3"}, pol.Python.Interpreter)
	switch {
	case path.IsAbs(name) && byDefault:
		c.Interpreter, c.Release = path.Clean(name), ""
	case path.IsAbs(name) && !isPart(path.Clean(name), interpreterPath(pol, inv)):
		c.Same, c.Release = path.Clean(name), ""
	case byDefault && strings.Contains(release, "."):
		c.Interpreter = path.Base(name)
	}
	c.Args = slices.Clone(inv.Args)
	if i := scriptIndex(c.Args); i >= 0 {
		if !path.IsAbs(c.Args[i]) {
			// The program may start in another directory than the caller's.
			c.Args[i] = path.Join(inv.Directory, c.Args[i])
		}
		c.Script = path.Clean(c.Args[i])
	}
	return c
}

// interpreterPath is the interpreter of the policy as a path, where it can be one:
// a word without a slash may be a directory beside the caller ("venv").
func interpreterPath(pol *policy.Policy, inv Invocation) string {
	if path.IsAbs(pol.Python.Interpreter) {
		return pol.Python.Interpreter
	}
	return path.Join(inv.Directory, pol.Python.Interpreter)
}

// isPart says whether name is the interpreter or, where that is the directory of
// a venv, a program in it.
func isPart(name, interpreter string) bool {
	return name == interpreter || strings.HasPrefix(name, interpreter+"/")
}

// pythonRelease says whether name is what interpreters are called (python,
// python3, python3.12, python3.13t) and which release that names.
func pythonRelease(name string) (string, bool) {
	release, ok := strings.CutPrefix(name, "python")
	if !ok {
		return "", false
	}
	release = strings.TrimSuffix(release, "t") // free-threaded builds
	major, minor, dotted := strings.Cut(release, ".")
	if !isDigits(major) || dotted && (major == "" || minor == "" || !isDigits(minor)) {
		return "", false
	}
	return release, true
}

func isDigits(s string) bool {
	return strings.Trim(s, "0123456789") == ""
}

// scriptIndex returns the index of the script in the arguments of python(1), or
// -1: the first that is no option, unless -c or -m came first. "-" is no file.
func scriptIndex(args []string) int {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			i++
			if i < len(args) && args[i] != "-" {
				return i
			}
			return -1
		case arg == "" || arg == "-":
			return -1
		case arg[0] != '-':
			return i
		case arg == "--check-hash-based-pycs":
			i++
		case strings.HasPrefix(arg, "--"):
		default:
			ends, takesNext := shortOptions(arg[1:])
			if ends {
				return -1
			}
			if takesNext {
				i++
			}
		}
	}
	return -1
}

// shortOptions reads joined options of python(1), such as "Iuc". It says whether
// they end the options (-c, -m) and whether the last takes the next argument.
func shortOptions(letters string) (ends, takesNext bool) {
	for i, letter := range letters {
		switch letter {
		case 'c', 'm':
			return true, false
		case 'W', 'X', 'Q':
			return false, i == len(letters)-1
		}
	}
	return false, false
}
