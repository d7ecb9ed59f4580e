// Package python runs the tests of the Python packages: the host's client on
// every CPython from 3.9 on, with every one from 3.8 on as the guest.
package python

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// oldestHost is the oldest minor version that the client supports.
const oldestHost = 9

// repository is the checkout.
func repository(t *testing.T) string {
	t.Helper()
	root, err := testenv.RepositoryRoot()
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// environment is what the Python tests of the checkout in root read, and nothing
// else of the caller's that could change what they find.
func environment(t *testing.T, root string, guests []testenv.Python) []string {
	t.Helper()
	var paths []string
	for _, guest := range guests {
		paths = append(paths, guest.Path)
	}
	oracle, err := filepath.Glob(filepath.Join(os.Getenv("HOME"), ".pyenv/versions/2.7*/bin/python2.7"))
	if err != nil {
		t.Fatal(err)
	}
	return append(os.Environ(),
		"PYSANDBOX_BINARY="+testenv.Binary(t),
		packagePath(root), "PYTHONDONTWRITEBYTECODE=1",
		"PYSANDBOX_GUESTS="+strings.Join(paths, ":"),
		"PYSANDBOX_ORACLE="+strings.Join(oracle, ""),
	)
}

// packagePath is the variable by which Python finds the client and the tests.
func packagePath(root string) string {
	return "PYTHONPATH=" + filepath.Join(root, "cpython-shim/python") + ":" + filepath.Join(root, "integration/python")
}

// clientTests are those in which the version of the host counts.
func clientTests() []string {
	return []string{
		"test_sandbox", "test_endings", "test_programs", "test_files", "test_policies", "test_capability", "test_grants",
		"test_async", "test_turns", "test_forks", "test_words",
	}
}

// timed is the module of tests that are about moments, and so run by themselves.
const timed = "test_cancel"

// unittest runs one module of tests as a user.
func unittest(t *testing.T, uid uint32, python testenv.Python, module string, env []string) {
	t.Helper()
	cmd := testenv.RunAs(t, uid, exec.Command(python.Path, "-m", "unittest", module))
	cmd.Dir, cmd.Env = t.TempDir(), env
	if uid != uint32(os.Getuid()) {
		cmd.Dir = "/"
	}
	output, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(output), "\nRan ") {
		t.Errorf("%s: %v\n%s", module, err, output)
	}
}

// TestPython runs every test_*.py with one host, and those of the client with all
// others.
func TestPython(t *testing.T) {
	pythons := testenv.Pythons(t)
	env := environment(t, repository(t), pythons)
	modules, err := filepath.Glob("test_*.py")
	if err != nil || len(modules) == 0 {
		t.Fatalf("there are no tests here: %v", err)
	}
	hosts := 0
	for _, python := range pythons {
		if python.Minor < oldestHost {
			continue
		}
		hosts++
		every := hosts == 1
		for _, module := range modules {
			name := strings.TrimSuffix(module, ".py")
			if !every && !slices.Contains(clientTests(), name) {
				continue
			}
			t.Run(python.Name()+" "+filepath.Base(filepath.Dir(filepath.Dir(python.Path)))+" "+name, func(t *testing.T) {
				if name != timed {
					t.Parallel()
				}
				unittest(t, uint32(os.Getuid()), python, name, env)
			})
		}
	}
	if hosts == 0 {
		t.Fatalf("no CPython 3.%d or newer for the client was found", oldestHost)
	}
}

// TestAsOrdinaryUser runs what a sandbox has to do with as an ordinary user, with
// the interpreters that this user may run. Where the caller is one, TestPython has
// done so.
func TestAsOrdinaryUser(t *testing.T) {
	uid := testenv.OrdinaryUser()
	if uid == uint32(os.Getuid()) {
		return
	}
	root := openTree(t)
	var pythons []testenv.Python
	for _, python := range testenv.Pythons(t) {
		cmd := testenv.RunAs(t, uid, exec.Command(python.Path, "-c", "pass"))
		cmd.Dir = "/"
		if cmd.Run() == nil {
			pythons = append(pythons, python)
		}
	}
	host := slices.IndexFunc(pythons, func(p testenv.Python) bool { return p.Minor >= oldestHost })
	if host < 0 {
		t.Fatalf("uid %d may run no CPython 3.%d or newer; install Debian's python3", uid, oldestHost)
	}
	// Python 2.7's rexec says the same to every user.
	env := append(environment(t, root, pythons), "HOME="+root, "USER=nobody", "PYSANDBOX_ORACLE=")
	for _, module := range append(clientTests(), "test_cancel", "test_callbacks", "test_hostile", "test_floods", "test_log", "test_hook", "test_guests", "test_rexec") {
		t.Run(module, func(t *testing.T) {
			if module != timed {
				t.Parallel()
			}
			unittest(t, uid, pythons[host], module, env)
		})
	}
}

// openTree copies the Python packages and their tests to where every user can read
// them.
func openTree(t *testing.T) string {
	t.Helper()
	top := testenv.WorldDir(t)
	for _, dir := range []string{"cpython-shim/python", "integration/python"} {
		if err := os.CopyFS(filepath.Join(top, dir), os.DirFS(filepath.Join(repository(t), dir))); err != nil {
			t.Fatal(err)
		}
	}
	return top
}

// TestInstall installs the package from the checkout, without a network, into an
// environment of its own for the oldest and the newest CPython that can make one.
func TestInstall(t *testing.T) {
	var hosts []testenv.Python
	for _, python := range testenv.Pythons(t) {
		if python.Minor >= oldestHost && exec.Command(python.Path, "-c", "import ensurepip").Run() == nil {
			hosts = append(hosts, python)
		}
	}
	if len(hosts) == 0 {
		t.Fatal("no CPython can make an environment with pip; install python3-venv")
	}
	slices.SortFunc(hosts, func(a, b testenv.Python) int { return a.Minor - b.Minor })
	tree := openTree(t) // a build leaves nothing in the checkout
	for _, python := range slices.Compact([]testenv.Python{hosts[0], hosts[len(hosts)-1]}) {
		t.Run(python.Name(), func(t *testing.T) {
			venv := filepath.Join(t.TempDir(), "venv")
			inside := filepath.Join(venv, "bin/python")
			const use = "import os, pysandbox\n" +
				"assert os.path.exists(os.path.join(os.path.dirname(pysandbox.__file__), 'py.typed'))\n" +
				"with pysandbox.Sandbox() as sb: print(sb.eval('6 * 7'), sb.exec('print(1)').stdout)\n" +
				"print(sb.report.outcome)"
			for _, args := range [][]string{
				{python.Path, "-m", "venv", venv},
				{inside, "-m", "pip", "install", "--quiet", "--no-index", filepath.Join(tree, "cpython-shim/python")},
				{inside, "-c", use},
			} {
				cmd := exec.Command(args[0], args[1:]...)
				cmd.Dir = t.TempDir()
				cmd.Env = append(os.Environ(), "PYSANDBOX_BINARY="+testenv.Binary(t), "PYTHONPATH=", "PIP_DISABLE_PIP_VERSION_CHECK=1")
				output, err := cmd.CombinedOutput()
				if err != nil {
					t.Fatalf("%v: %v\n%s", args, err, output)
				}
				if want := "42 b'1\\n'\nexited\n"; args[0] == inside && args[1] == "-c" && string(output) != want {
					t.Errorf("the installed package says %q, not %q", output, want)
				}
			}
		})
	}
}
