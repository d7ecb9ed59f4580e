package plan_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/internal/host"
	"github.com/pysandbox/pysandbox/internal/testenv"
	"github.com/pysandbox/pysandbox/plan"
	"github.com/pysandbox/pysandbox/seccomp/libseccomp"
)

// firstID is the host's id of the bundle's root; nobody has it.
const firstID = 1_900_000_000

// guest tries what the policy permits and what it refuses.
const guest = `
import json, os, socket, threading
def attempt(f):
    try:
        f()
        return "ok"
    except OSError as e:
        return os.strerror(e.errno)
thread = threading.Thread(target=lambda: None)
thread.start()
thread.join()
print(json.dumps({
    "uid": os.getuid(),
    "cwd": os.getcwd(),
    "read": open("DIR/in/data").read(),
    "write": attempt(lambda: open("DIR/out/result", "w").write("done")),
    "write to what is read": attempt(lambda: open("DIR/in/data", "w")),
    "write to the root": attempt(lambda: os.mkdir("/new")),
    "temporary": attempt(lambda: open("/tmp/x", "w")),
    "root's home": attempt(lambda: os.listdir("/root")),
    "connect": attempt(lambda: socket.create_connection(("192.0.2.1", 80), 1)),
    "identity": attempt(lambda: open("/proc/self/uid_map", "w")),
}))
`

// TestOCIConfigRuns runs a bundle under another runtime than ours.
func TestOCIConfigRuns(t *testing.T) {
	testenv.Need(t, testenv.Root, testenv.UserNS, testenv.DebianPython, testenv.Runc,
		testenv.CgroupMemory, testenv.CgroupPids)
	dir := makeBundle(t)
	cmd := exec.Command("runc", "--root", filepath.Join(dir, "state"), "run", "--bundle", dir, "pysandbox-test")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("runc: %v\n%s", err, stderr.String())
	}
	var got map[string]any
	if err := json.Unmarshal(output, &got); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	for what, want := range map[string]any{
		"uid": 1000.0, "cwd": "/home/sandbox", "read": "given", "write": "ok", "temporary": "ok",
		"write to what is read": "Read-only file system",
		"write to the root":     "Read-only file system",
		"root's home":           "No such file or directory",
		"connect":               "Operation not permitted",
		"identity":              "Read-only file system",
	} {
		if got[what] != want {
			t.Errorf("%s: %v, want %v", what, got[what], want)
		}
	}
	if result, err := os.ReadFile(filepath.Join(dir, "out", "result")); string(result) != "done" {
		t.Errorf("the host sees the result %q, %v", result, err)
	}
}

// makeBundle writes a bundle for the Python of the system, with a directory to
// read, one to write, and the links that the config asks for.
func makeBundle(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/var/tmp", "pysandbox-oci-") // the sandbox has a /tmp of its own
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755))
	for name, owner := range map[string]int{"in": 0, "out": firstID + 1000, "rootfs": 0} {
		must(t, os.Mkdir(filepath.Join(dir, name), 0o755))
		must(t, os.Chown(filepath.Join(dir, name), owner, owner))
	}
	must(t, os.WriteFile(filepath.Join(dir, "in", "data"), []byte("given"), 0o644))
	config := bundleConfig(t, dir)
	must(t, os.WriteFile(filepath.Join(dir, "config.json"), config, 0o644))
	cmd := exec.Command("bash", "-ec", recipe(t))
	cmd.Dir = dir
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the recipe of the manual page: %v\n%s", err, output)
	}
	return dir
}

// recipe is what pysandbox-explain(1) says of the links in a bundle, for firstID.
func recipe(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../docs/man/pysandbox-explain.md")
	must(t, err)
	for i, block := range strings.Split(string(page), "```\n") {
		if i%2 == 1 && strings.Contains(block, plan.LinkAnnotation) {
			return strings.ReplaceAll(block, "100000:100000", fmt.Sprintf("%d:%d", firstID, firstID))
		}
	}
	t.Fatal("the manual page has no recipe for the links of a bundle")
	return ""
}

func bundleConfig(t *testing.T, dir string) []byte {
	t.Helper()
	pol := preset(t, "strict")
	pol.Files.Read, pol.Files.Write = []string{dir + "/in"}, []string{dir + "/out"}
	pol.Limits.OpenFiles = 64
	p := compile(t, pol, plan.Invocation{Kind: plan.RunCode, Argument: strings.ReplaceAll(guest, "DIR", dir), Directory: "/"})
	interpreter, err := host.FindInterpreter("/usr/bin/python3", host.Caller{Directory: "/"})
	if err != nil {
		t.Fatal(err)
	}
	h := fixedHost()
	h.Interpreter, h.Paths, h.CPUs, h.Compile = interpreter, host.LookPaths(p.HostPaths(), host.Caller{UID: os.Geteuid()}), runtime.NumCPU(), libseccomp.Compile
	config, err := resolve(t, p, h).OCI(firstID, firstID)
	if err != nil {
		t.Fatal(err)
	}
	return config
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
