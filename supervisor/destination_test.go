package supervisor

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// asUser runs the named test of this binary as an ordinary user, with dir as
// its working directory.
func asUser(t *testing.T, name, dir string) {
	t.Helper()
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "test-binary")
	if err := os.WriteFile(binary, self, 0o755); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.Remove(binary) }()
	command := exec.Command(binary, "-test.run=^"+name+"$", "-test.v")
	command.Dir = dir
	command.Env = append(os.Environ(), "PSB_TEST_DIR="+dir, "TMPDIR="+dir)
	command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := command.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+name) {
		t.Fatalf("as uid 65534: %v\n%s", err, out)
	}
}

// openDir is a directory that uid 65534 owns and can reach.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "psb-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chown(dir, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	return dir
}

func content(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestDestinationAsUser(t *testing.T) {
	if os.Getuid() == 0 {
		asUser(t, "TestDestinationAsUser", openDir(t))
		return
	}
	dir := os.Getenv("PSB_TEST_DIR")
	if dir == "" { // an ordinary user runs the tests
		dir = t.TempDir()
	}
	path := filepath.Join(dir, "report.json")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	before, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer before.Close()
	d, err := OpenDestination(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := content(t, path); got != "old" {
		t.Errorf("before Write the file holds %q", got)
	}
	if err := d.Write([]byte("new")); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if got := content(t, path); got != "new" {
		t.Errorf("the file holds %q", got)
	}
	if data, _ := io.ReadAll(before); string(data) != "old" {
		t.Errorf("a reader of the old file sees %q: not replaced as a whole", data)
	}
	entries, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".report*"))
	if err != nil || len(entries) != 0 {
		t.Errorf("left over: %v %v", entries, err)
	}
	if _, err := OpenDestination("/proc/nothing/report.json"); err == nil {
		t.Error("a missing directory was not an error before the run")
	}
	if _, err := OpenDestination("/report.json"); err == nil {
		t.Error("a directory that cannot be written was not an error before the run")
	}
	null, err := OpenDestination("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	if err := null.Write([]byte("x")); err != nil {
		t.Error(err)
	}
}

func TestDestinationAsRootFollowsNoLink(t *testing.T) {
	testenv.Need(t, testenv.Root)
	dir := openDir(t)
	victim := filepath.Join(dir, "victim")
	if err := os.WriteFile(victim, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Symlink("victim", filepath.Join(dir, "link")))
	must(os.Symlink(".", filepath.Join(dir, "linkdir")))
	must(os.Link(victim, filepath.Join(dir, "hard")))
	must(syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600))
	for _, name := range []string{"link", "linkdir/report.json", "hard", "fifo"} {
		if _, err := OpenDestination(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s was opened", name)
		}
		if name == "hard" {
			continue
		}
		if _, err := OpenAudit(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s was opened for the audit", name)
		}
	}
	if got := content(t, victim); got != "precious" {
		t.Errorf("the victim holds %q", got)
	}
	if _, err := os.Lstat(filepath.Join(dir, "report.json")); err == nil {
		t.Error("a file was made behind the link")
	}
	d, err := OpenDestination(filepath.Join(dir, "report.json")) // control
	if err != nil {
		t.Fatal(err)
	}
	must(d.Write([]byte("new")))
	must(d.Close())
	if got := content(t, filepath.Join(dir, "report.json")); got != "new" {
		t.Errorf("the file holds %q", got)
	}
}

func TestDestinationNumber(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	d, err := OpenDestination(fmt.Sprintf("fd:%d", w.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Write([]byte("{}\n")); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.WriteString("mine"); err != nil {
		t.Errorf("the caller's descriptor was closed: %v", err)
	}
	buf := make([]byte, 16)
	if n, _ := r.Read(buf); string(buf[:n]) != "{}\nmine" {
		t.Errorf("got %q", buf[:n])
	}
	for _, spec := range []string{"fd:", "fd:-1", "fd:x", "fd:9999", fmt.Sprintf("fd:%d", r.Fd())} {
		if _, err := OpenDestination(spec); err == nil {
			t.Errorf("%s was accepted", spec)
		}
	}
}
