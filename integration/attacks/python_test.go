package attacks

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/internal/testenv"
	"github.com/pysandbox/pysandbox/supervisor"
)

func TestEscapesOfPython(t *testing.T) {
	needWorld(t)
	if found := testenv.Pythons(t); len(found) < 3 {
		t.Errorf("there are %d CPythons, the corpus is for at least three", len(found))
	}
	runAttacks(t, escapesOfPython())
}

// escapesOfPython are ways around everything that the interpreter itself could
// enforce. They run on every CPython.
func escapesOfPython() []attack {
	return []attack{
		{
			program: "python_native", hows: []string{"libc", "system", "pythonapi", "address", "shellcode"},
			python: true, set: hiddenSecret,
		},
		{program: "python_shellcode", python: true, set: canaryOutside, flags: []string{"--preset=http-only"}},
		{
			program: "python_spawn", hows: []string{"fork_exec", "shell", "fork", "spawn", "subprocess", "interpreter"},
			python: true, set: hiddenSecret,
		},
		{
			program: "python_spawn", name: "python_spawn_with_system_programs", hows: []string{"fork_exec", "shell"},
			python: true, set: hiddenSecret, flags: []string{"--allow-spawn"},
		},
		{
			program: "python_hook", hows: []string{"frame", "signal", "interpreter", "native"},
			python: true, set: hiddenSecret,
		},
		{program: "python_library", hows: []string{"sqlite", "readline", "ssl", "dbm"}, python: true, set: hiddenDirectory},
		{program: "python_patch", python: true},
		{
			program: "python_crash", hows: []string{"view", "index", "bytearray", "bytecode", "unpickler"}, python: true,
			control: withoutControl("a memory error may or may not be seen"),
			ends:    []supervisor.Outcome{supervisor.Exited, supervisor.Signaled},
		},
	}
}

// hiddenSecret is a scene with a file that the account could read and no policy
// shows.
func hiddenSecret(t *testing.T, who account, _ string) *scene {
	t.Helper()
	s := newScene(t, who)
	secret := filepath.Join(s.dir, "secret")
	token := writeSecret(t, secret, 0o644)
	own(t, secret, who)
	s.target["secret"] = secret
	s.happened = func(run ended) bool { return strings.Contains(run.stdout, token) }
	return s
}

// hiddenDirectory is a scene with a directory that no policy shows.
func hiddenDirectory(t *testing.T, who account, how string) *scene {
	t.Helper()
	s := directory("")(t, who, how)
	s.flags = nil
	changed := s.happened
	s.happened = func(run ended) bool { return changed(run) || saidEffect(run) }
	return s
}
