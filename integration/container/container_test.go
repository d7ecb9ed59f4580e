// Package container tests the entrypoint of examples/container in a container, with
// and without the options that the example names: under a Docker engine, and in one
// that runc makes as Docker does. It tests no distribution's image: the root file
// systems are made of this machine's.
package container

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// masked is what Docker hides of /proc unless it is told systempaths=unconfined.
func masked() []string {
	return []string{
		"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
		"/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/sys/firmware",
	}
}

func TestEntrypointRunsTheProgram(t *testing.T) {
	output, err := runContainer(t, nil, entrypoint()...)
	const want = "process 2 of user 1000\nsees app.py policy.toml\n"
	if err != nil || output != want {
		t.Errorf("%v\n%s\nwant\n%s", err, output, want)
	}
}

func TestEntrypointRefusesADefaultContainer(t *testing.T) {
	output, err := runContainer(t, masked(), entrypoint()...)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 125 {
		t.Errorf("it ended with %v, not with status 125", err)
	}
	if strings.Contains(output, "process 2") {
		t.Errorf("the program ran with less than the full tier:\n%s", output)
	}
	advice, err := runContainer(t, masked(), "pysandbox", "doctor")
	if want := "systempaths=unconfined"; !strings.Contains(advice, want) {
		t.Errorf("%v: doctor does not name %s:\n%s", err, want, advice)
	}
}

// entrypoint is that of the example image, with its command.
func entrypoint() []string {
	return []string{"pysandbox", "exec", "--policy", "/app/policy.toml", "--", "python3", "/app/app.py"}
}

// runContainer runs a command as an ordinary user in a container of Docker's
// shape, without a seccomp filter and with the paths hidden.
func runContainer(t *testing.T, hidden []string, args ...string) (string, error) {
	t.Helper()
	testenv.Need(t, testenv.Root, testenv.Runc, testenv.UserNS, testenv.Landlock, testenv.Notify, testenv.DebianPython)
	bundle := testenv.WorldDir(t)
	spec := specs.Spec{
		Version:  "1.0.2",
		Root:     &specs.Root{Path: "rootfs"},
		Hostname: "container",
		Mounts: []specs.Mount{
			{Destination: "/proc", Type: "proc", Source: "proc"},
			{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "mode=755"}},
			{Destination: "/sys", Type: "sysfs", Source: "sysfs", Options: []string{"nosuid", "noexec", "nodev", "ro"}},
			{Destination: "/tmp", Type: "tmpfs", Source: "tmpfs", Options: []string{"mode=1777"}},
		},
		Process: &specs.Process{
			User: specs.User{UID: testenv.Nobody, GID: testenv.Nobody},
			Args: args, Cwd: "/", Env: []string{"PATH=/opt:/usr/bin:/bin"}, NoNewPrivileges: true,
		},
		Linux: &specs.Linux{
			MaskedPaths: hidden,
			Namespaces: []specs.LinuxNamespace{
				{Type: specs.MountNamespace},
				{Type: specs.PIDNamespace},
				{Type: specs.NetworkNamespace},
				{Type: specs.IPCNamespace},
				{Type: specs.UTSNamespace},
			},
		},
	}
	spec.Mounts = slices.Concat(spec.Mounts, systemMounts(t))
	fillRoot(t, filepath.Join(bundle, "rootfs"))
	text, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bundle, "config.json"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("runc", "--root", filepath.Join(bundle, "state"), "run", "--bundle", bundle, filepath.Base(bundle))
	output, err := cmd.CombinedOutput()
	return string(output), err
}

// systemMounts shows the directories of this machine that an image of the same
// distribution would have.
func systemMounts(t *testing.T) []specs.Mount {
	t.Helper()
	var mounts []specs.Mount
	for _, dir := range []string{"/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc"} {
		if _, err := os.Stat(dir); err == nil {
			mounts = append(mounts, specs.Mount{Destination: dir, Type: "bind", Source: dir, Options: []string{"rbind", "ro"}})
		}
	}
	return mounts
}

// fillRoot copies what the Dockerfile copies.
func fillRoot(t *testing.T, rootfs string) {
	t.Helper()
	repository, err := testenv.RepositoryRoot()
	if err != nil {
		t.Fatal(err)
	}
	for target, source := range map[string]string{
		"opt/pysandbox":   testenv.Binary(t),
		"app/policy.toml": filepath.Join(repository, "examples/container/policy.toml"),
		"app/app.py":      filepath.Join(repository, "examples/container/app.py"),
	} {
		content, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(rootfs, target)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, content, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}
