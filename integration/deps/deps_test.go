// Package deps tests scripts/deps on distributions other than the one it runs
// on. It installs nothing.
package deps

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// tools are what scripts/deps itself runs, and what its probes for the demo find
// on a machine that lacks only ip(8).
func tools() []string {
	return []string{
		"bash", "env", "dirname", "cat", "awk", "grep", "tr",
		"go", "python3", "unshare",
	}
}

// machine is a distribution by its /etc/os-release, and a PATH without ip(8).
type machine struct {
	release string // file
	path    string // directory
}

func newMachine(t *testing.T, release string) machine {
	t.Helper()
	dir := t.TempDir()
	m := machine{release: filepath.Join(dir, "os-release"), path: filepath.Join(dir, "bin")}
	if err := os.WriteFile(m.release, []byte(release), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(m.path, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, tool := range tools() {
		m.link(t, tool)
	}
	return m
}

// link makes a program of the real machine visible.
func (m machine) link(t *testing.T, tool string) {
	t.Helper()
	file, err := exec.LookPath(tool)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, filepath.Join(m.path, tool)); err != nil {
		t.Fatal(err)
	}
}

// script adds a program to the machine.
func (m machine) script(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(m.path, name), []byte("#!/bin/bash\n"+text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// deps runs scripts/deps as uid on the machine, in a mount namespace where
// /etc/os-release is the machine's.
func (m machine) deps(t *testing.T, uid int, group string) (output string, err error) {
	t.Helper()
	root, err := testenv.RepositoryRoot()
	if err != nil {
		t.Fatal(err)
	}
	const enter = `mount --bind "$1" /etc/os-release && exec unshare --user --map-user="$2" env PATH="$3" "$4" "$5"`
	cmd := exec.Command("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", enter, "sh",
		m.release, fmt.Sprint(uid), m.path, filepath.Join(root, "scripts/deps"), group)
	text, err := cmd.CombinedOutput()
	return string(text), err
}

func TestOtherDistributionsGetTheirPackageNames(t *testing.T) {
	testenv.Need(t, testenv.UserNS)
	for release, want := range map[string]string{
		"ID=fedora": "\n  sudo dnf install iproute\n",
		"ID=rocky\nID_LIKE=\"rhel centos fedora\"": "\n  sudo dnf install iproute\n",
		"ID=arch":   "\n  sudo pacman -S --needed iproute2\n",
		"ID=alpine": "\n  apk add iproute2\n",
		"ID=opensuse-leap\nID_LIKE=\"suse opensuse\"": "\n  sudo zypper install iproute2\n",
		"ID=unheardof": "is not known; what Debian calls these packages is missing:\n  iproute2\n",
	} {
		t.Run(strings.Fields(release)[0], func(t *testing.T) {
			output, err := newMachine(t, release+"\n").deps(t, 0, "demo")
			if err == nil {
				t.Error("it succeeded, and the build would fail later")
			}
			if !strings.Contains(output, want) {
				t.Errorf("it wrote\n%s\nwithout %q", output, want)
			}
		})
	}
}

func TestNothingIsInstalledWhereNothingIsMissing(t *testing.T) {
	testenv.Need(t, testenv.UserNS)
	m := newMachine(t, "ID=debian\n")
	m.link(t, "ip")
	m.script(t, "apt-get", "echo apt-get was run; exit 1\n")
	if output, err := m.deps(t, 0, "demo"); err != nil || output != "" {
		t.Errorf("%v\n%s", err, output)
	}
}

func TestDebianInstallsWhatIsMissing(t *testing.T) {
	testenv.Need(t, testenv.UserNS)
	for _, release := range []string{"ID=debian", "ID=ubuntu\nID_LIKE=debian", "ID=linuxmint\nID_LIKE=\"ubuntu debian\""} {
		t.Run(strings.Fields(release)[0], func(t *testing.T) {
			m := newMachine(t, release+"\n")
			// Stands in for the package archive: it "installs" ip by making it visible.
			m.script(t, "apt-get", `echo "apt-get $*"; [[ $1 == update ]] || echo >`+m.path+"/ip; [[ $1 == update ]] || /bin/chmod +x "+m.path+"/ip\n")
			output, err := m.deps(t, 0, "demo")
			if err != nil {
				t.Errorf("%v\n%s", err, output)
			}
			for _, want := range []string{"deps: installing iproute2", "apt-get update", "apt-get install -y -q --no-install-recommends iproute2"} {
				if !strings.Contains(output, want) {
					t.Errorf("it wrote\n%s\nwithout %q", output, want)
				}
			}
		})
	}
}

func TestOrdinaryUserWithoutSudoGetsTheCommand(t *testing.T) {
	testenv.Need(t, testenv.UserNS)
	output, err := newMachine(t, "ID=debian\n").deps(t, 1234, "demo")
	if err == nil {
		t.Error("it succeeded without installing anything")
	}
	if want := "apt-get install -y --no-install-recommends iproute2"; !strings.Contains(output, want) {
		t.Errorf("it wrote\n%s\nwithout %q", output, want)
	}
}

func TestOrdinaryUserWithSudoUsesIt(t *testing.T) {
	testenv.Need(t, testenv.UserNS)
	m := newMachine(t, "ID=debian\n")
	m.script(t, "sudo", `echo "sudo $*"; echo >`+m.path+"/ip; /bin/chmod +x "+m.path+"/ip\n")
	output, err := m.deps(t, 1234, "demo")
	if want := "sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends iproute2"; err != nil || !strings.Contains(output, want) {
		t.Errorf("%v\n%s\nwithout %q", err, output, want)
	}
}

func TestAPackageThatDoesNotHelpIsAnError(t *testing.T) {
	testenv.Need(t, testenv.UserNS)
	m := newMachine(t, "ID=debian\n")
	m.script(t, "apt-get", "exit 0\n")
	output, err := m.deps(t, 0, "demo")
	if want := "still missing after they were installed: iproute2"; err == nil || !strings.Contains(output, want) {
		t.Errorf("%v\n%s\nwithout %q", err, output, want)
	}
}
