package host

import "os"

// IsInterpreter says whether a path leads to an interpreter that was found: to the
// same file, by symbolic links or a shim of pyenv, and within the same virtual
// environment or none.
func IsInterpreter(path string, python Interpreter, caller Caller) bool {
	t := newTree()
	executable, err := locatePath(t, path, caller)
	if err != nil || !isSameFile(executable, python.Executable) {
		return false
	}
	v, err := venvOf(t, executable)
	switch {
	case err != nil:
		return false
	case v == nil || python.Venv == "":
		return v == nil && python.Venv == ""
	default:
		return isSameFile(v.dir, python.Venv)
	}
}

func isSameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}
