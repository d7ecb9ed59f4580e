package plan

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pysandbox/pysandbox/policy"
)

// home is the program's home directory, private and writable.
const home = "/home/sandbox"

// searchPath is PATH inside before the interpreter's own directory is put first.
const searchPath = "/usr/local/bin:/usr/bin:/bin"

// baseEnvironment are the variables that every program starts with.
func baseEnvironment() map[string]string {
	return map[string]string{
		"HOME":                    home,
		"USER":                    "sandbox",
		"LOGNAME":                 "sandbox",
		"PATH":                    searchPath,
		"TMPDIR":                  "/tmp",
		"LANG":                    "C.UTF-8",
		"XDG_CACHE_HOME":          home + "/.cache",
		"MPLCONFIGDIR":            home + "/.config/matplotlib",
		"PYTHONDONTWRITEBYTECODE": "1",
	}
}

// compileEnvironment returns the program's variables: the fixed ones, then what
// env.pass takes from the caller, then env.set. A passed name that the caller
// does not have stays unset.
//
// LD_* is refused in both, because the loader acts on it before the program has
// begun. PYTHON* is refused in env.pass, because what the caller's interpreter
// was told (PYTHONPATH, PYTHONSTARTUP) names places that are not inside; in
// env.set the operator's own words stand.
func compileEnvironment(pol *policy.Policy, inv Invocation) (map[string]string, error) {
	env := baseEnvironment()
	if term := inv.Env["TERM"]; inv.Terminal && term != "" {
		env["TERM"] = term
	}
	var problems []error
	for i, name := range pol.Env.Pass {
		if err := checkPassed(name); err != nil {
			problems = append(problems, about("env.pass", i, err))
		} else if value, ok := inv.Env[name]; ok {
			env[name] = value
		}
	}
	for _, name := range slices.Sorted(maps.Keys(pol.Env.Set)) {
		if err := checkVariable(name, pol.Env.Set[name]); err != nil {
			problems = append(problems, &policy.Problem{Key: "env.set." + name, Err: err})
		}
		env[name] = pol.Env.Set[name]
	}
	if !slices.ContainsFunc(slices.Collect(maps.Keys(env)), isLocaleCategory) && env["LANG"] == "C.UTF-8" {
		env["LC_ALL"] = "C.UTF-8"
	}
	return env, errors.Join(problems...)
}

func checkPassed(name string) error {
	if strings.HasPrefix(name, "PYTHON") {
		return fmt.Errorf("%s would tell this interpreter what was meant for another; set it with env.set or --env", name)
	}
	return checkVariable(name, "")
}

func checkVariable(name, value string) error {
	switch {
	case name == "" || strings.ContainsAny(name, "=\x00"):
		return fmt.Errorf("%q is no name of a variable", name)
	case strings.IndexByte(value, 0) >= 0:
		return fmt.Errorf("the value of %s holds a NUL, which ends it in the kernel", name)
	case strings.HasPrefix(name, "LD_"):
		return fmt.Errorf("%s would load code before the program begins and is always refused", name)
	case len(name)+len(value)+1 > maxArgument:
		return fmt.Errorf("%s has %d bytes, execve(2) takes at most %d", name, len(value), maxArgument)
	}
	return nil
}

func isLocaleCategory(name string) bool { return strings.HasPrefix(name, "LC_") }

// environmentList returns "NAME=value" words sorted by name.
func environmentList(env map[string]string) []string {
	list := make([]string, 0, len(env))
	for _, name := range slices.Sorted(maps.Keys(env)) {
		list = append(list, name+"="+env[name])
	}
	return list
}
