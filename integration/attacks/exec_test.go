package attacks

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

func TestExecution(t *testing.T) {
	testenv.Need(t, testenv.Compiler)
	runAttacks(t, execution())
}

// execution are ways to run code that is neither the interpreter's nor a program
// that the policy names.
func execution() []attack {
	readable := []string{
		"direct", "loader", "preload", "script", "descriptor", "path", "memory", "library",
		"map", "protect", "spawn",
	}
	written := []string{
		"direct tmp", "direct shm", "direct home", "direct writable", "loader tmp", "loader shm", "script tmp",
		"descriptor tmp", "path tmp", "library tmp", "library shm", "library writable", "map tmp", "protect tmp",
		"protect shm",
	}
	return []attack{
		{program: "exec_file", hows: append(readable, written...), set: tool},
		{
			program: "exec_file", name: "exec_file_beside_system_programs", hows: append(readable, written...),
			set: tool, flags: []string{"--allow-spawn"},
		},
		{program: "exec_rights", hows: []string{"setuid", "setgid", "capability"}, set: privilegedTool, harmless: true},
		{program: "exec_interpreter", control: control{root: true, namespaces: unix.CLONE_NEWNS}},
	}
}

// tool is a scene with a program, a library and a script in a readable directory.
func tool(t *testing.T, who account, _ string) *scene {
	t.Helper()
	s := newScene(t, who)
	readable, writable := filepath.Join(s.dir, "readable"), filepath.Join(s.dir, "writable")
	for _, dir := range []string{readable, writable} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		own(t, dir, who)
	}
	for name, source := range map[string]string{"tool": "tool", "library.so": "library"} {
		copyFile(t, compiled(t, source), filepath.Join(readable, name), 0o755)
	}
	script := filepath.Join(readable, "script")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho THE CODE RUNS\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.target["tool"] = filepath.Join(readable, "tool")
	s.target["library"] = filepath.Join(readable, "library.so")
	s.target["script"], s.target["writable"] = script, writable
	s.flags = []string{"--allow-read=" + readable, "--allow-write=" + writable}
	s.happened = func(run ended) bool { return run.says("THE CODE RUNS") }
	return s
}

// privilegedTool is a scene with a program that has more rights than its caller,
// in a directory from which the policy lets programs be executed.
func privilegedTool(t *testing.T, who account, how string) *scene {
	t.Helper()
	s := newScene(t, who)
	dir := filepath.Join(s.dir, "programs")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "tool")
	copyFile(t, compiled(t, "rights"), path, 0o755)
	var err error
	switch how {
	case "setuid":
		err = os.Chmod(path, 0o755|os.ModeSetuid)
	case "setgid":
		err = os.Chmod(path, 0o755|os.ModeSetgid)
	case "capability":
		err = unix.Setxattr(path, "security.capability", fileCapabilities(), 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	s.target["tool"] = path
	s.flags = []string{"--policy=" + writePolicy(t, s, "[files]\nexec = [\""+dir+"\"]\n")}
	return s
}

// fileCapabilities is struct vfs_cap_data of linux/capability.h, revision 2: one
// capability, in effect at once.
func fileCapabilities() []byte {
	data := binary.LittleEndian.AppendUint32(nil, 0x02000001)
	data = binary.LittleEndian.AppendUint32(data, 1<<unix.CAP_CHOWN)
	return append(data, make([]byte, 12)...)
}

// compilations are the programs that were compiled, by their sources' names.
var compilations = struct {
	sync.Mutex
	binaries map[string][]byte
}{binaries: make(map[string][]byte)}

// compiled compiles testdata/NAME.c once and returns it as a file.
func compiled(t *testing.T, name string) []byte {
	t.Helper()
	compilations.Lock()
	defer compilations.Unlock()
	if binary, done := compilations.binaries[name]; done {
		return binary
	}
	output := filepath.Join(t.TempDir(), name)
	args := []string{"-O2", "-Wall", "-Wextra", "-Werror", "-o", output, filepath.Join("testdata", name+".c")}
	if strings.HasPrefix(name, "library") {
		args = append(args, "-shared", "-fPIC")
	}
	if out, err := exec.Command("cc", args...).CombinedOutput(); err != nil {
		t.Fatalf("compile %s: %v\n%s", name, err, out)
	}
	binary, err := os.ReadFile(output)
	if err != nil {
		t.Fatal(err)
	}
	compilations.binaries[name] = binary
	return binary
}

func copyFile(t *testing.T, content []byte, path string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, content, mode); err != nil {
		t.Fatal(err)
	}
}
