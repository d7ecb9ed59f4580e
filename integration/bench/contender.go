package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// contender is one way to run the interpreter.
type contender struct {
	name string
	note string
	// command returns the program that runs the interpreter with the arguments.
	command func(args ...string) *exec.Cmd
	// measures are those of workload.py that mean something for this contender.
	measures []metric
	carrier  bool // it carries a network and is no sandbox
}

// Names of the contenders that budgets speak of.
const (
	bare      = "bare"
	pysandbox = "pysandbox"
	cgroup    = "pysandbox + cgroup"
	bubble    = "bubblewrap"
)

// contenders returns bare Python first, then pysandbox, then each peer that is
// installed and starts the interpreter here. One that does not is reported on
// standard error and left out.
func contenders(binary, python, scratch string) ([]contender, error) {
	field := []contender{
		{name: bare, note: "no sandbox", measures: slices.Concat(localMeasures(), networkMeasures()), command: func(args ...string) *exec.Cmd {
			return exec.Command(python, args...)
		}},
	}
	candidates, err := pysandboxes(binary, python, scratch)
	if err != nil {
		return nil, err
	}
	peers, err := peers(python, scratch)
	if err != nil {
		return nil, err
	}
	for _, candidate := range slices.Concat(candidates, peers, carriers(python, scratch)) {
		cmd := candidate.command("-I", "-S", "-c", "pass")
		output, err := cmd.CombinedOutput()
		switch {
		case err == nil:
			field = append(field, candidate)
		case candidate.name == pysandbox:
			return nil, fmt.Errorf("run %v: %w\n%s", cmd.Args, err, output)
		default:
			fmt.Fprintf(os.Stderr, "bench: leaving out %s: %v\n%s", candidate.name, err, output)
		}
	}
	return field, nil
}

// benchPolicy is http-only without the limits that would need a control group,
// and without the time limits that a benchmark would meet. A limit on CPU time would
// need a group too, which counts it.
const benchPolicy = `version = 1
extends = "http-only"

[network]
allow = ["udp://203.0.113.80:7"]

[limits]
wall = "10m"
cpu = "none"
connections = 6000
open_files = 6000
memory = %q
pids = %s
`

// pysandboxes returns pysandbox without and with a control group; the second
// only where this process can make one.
func pysandboxes(binary, python, scratch string) ([]contender, error) {
	var field []contender
	for _, variant := range []struct {
		name, note, memory, pids string
	}{
		{pysandbox, "full tier, http-only, no control group", "none", `"none"`},
		{cgroup, "the same with memory and pids limits", "512MiB", "64"},
	} {
		policy := filepath.Join(scratch, strconv.Itoa(len(field))+".toml")
		text := fmt.Sprintf(benchPolicy, variant.memory, variant.pids)
		if err := os.WriteFile(policy, []byte(text), 0o644); err != nil {
			return nil, err
		}
		var measures []metric
		if variant.name == pysandbox {
			measures = slices.Concat(localMeasures(), networkMeasures(), []metric{denied, stalled})
		}
		field = append(field, contender{
			name: variant.name, note: variant.note, measures: measures,
			command: func(args ...string) *exec.Cmd {
				flags := []string{"exec", "--quiet", "--policy", policy, "--python", python, "--allow-read", scratch, "--", python}
				return exec.Command(binary, append(flags, args...)...)
			},
		})
	}
	return field, nil
}

// peers returns the sandboxes of others that are installed, each with the
// namespaces that the full tier of pysandbox has, as far as it offers them.
func peers(python, scratch string) ([]contender, error) {
	var field []contender
	if path, err := exec.LookPath("bwrap"); err == nil {
		field = append(field, contender{
			name: bubble, note: "same namespaces; no seccomp, no Landlock", measures: localMeasures(),
			command: func(args ...string) *exec.Cmd {
				return exec.Command(path, append(bubblewrapFlags(scratch, python), args...)...)
			},
		})
	}
	for _, runtime := range []string{"runc", "crun"} {
		path, err := exec.LookPath(runtime)
		if err != nil {
			continue
		}
		peer, err := ociPeer(runtime, path, python, scratch)
		if err != nil {
			return nil, err
		}
		field = append(field, peer)
	}
	if path, err := exec.LookPath("firejail"); err == nil {
		field = append(field, contender{
			name: "firejail", note: "no user namespace as root; its default seccomp filter",
			command: func(args ...string) *exec.Cmd {
				flags := []string{"--quiet", "--noprofile", "--net=none", "--ipc-namespace", "--private-tmp", "--seccomp", python}
				return exec.Command(path, append(flags, args...)...)
			},
		})
	}
	return field, nil
}

func bubblewrapFlags(scratch, python string) []string {
	return []string{
		"--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try",
		"--ro-bind", "/usr", "/usr", "--ro-bind", "/lib", "/lib", "--ro-bind", "/lib64", "/lib64",
		"--ro-bind-try", "/etc/alternatives", "/etc/alternatives",
		"--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--ro-bind", scratch, scratch,
		python,
	}
}

// ociPeer prepares a bundle for an OCI runtime. The arguments of the process
// stand in the bundle, so each set of arguments is written before it runs.
func ociPeer(name, path, python, scratch string) (contender, error) {
	bundle := filepath.Join(scratch, name)
	if err := os.MkdirAll(filepath.Join(bundle, "rootfs"), 0o755); err != nil {
		return contender{}, err
	}
	runs := 0
	written := ""
	return contender{
		name: name, note: "OCI bundle, same namespaces",
		command: func(args ...string) *exec.Cmd {
			if key := fmt.Sprint(args); key != written {
				if err := writeBundle(bundle, append([]string{python}, args...), nil); err != nil {
					cmd := exec.Command(path)
					cmd.Err = err // Start and Run return it
					return cmd
				}
				written = key
			}
			runs++
			id := fmt.Sprintf("pysandbox-bench-%d-%d", os.Getpid(), runs)
			return exec.Command(path, "--root", filepath.Join(scratch, name+"-state"), "run", "--bundle", bundle, id)
		},
	}, nil
}

func writeBundle(bundle string, args []string, filter *specs.LinuxSeccomp) error {
	spec := specs.Spec{
		Version:  "1.0.2",
		Root:     &specs.Root{Path: "rootfs"},
		Hostname: "bench",
		Process: &specs.Process{
			Args: args, Cwd: "/", Env: []string{"PATH=/usr/bin:/bin"}, NoNewPrivileges: true,
		},
		Mounts: []specs.Mount{
			readOnlyBind("/usr"), readOnlyBind("/lib"), readOnlyBind("/lib64"), readOnlyBind("/etc/alternatives"),
			{Destination: "/proc", Type: "proc", Source: "proc"},
			{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "mode=755"}},
			{Destination: "/tmp", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "nodev"}},
		},
		Linux: &specs.Linux{
			Seccomp:     filter,
			UIDMappings: []specs.LinuxIDMapping{{ContainerID: 0, HostID: uint32(os.Getuid()), Size: 1}},
			GIDMappings: []specs.LinuxIDMapping{{ContainerID: 0, HostID: uint32(os.Getgid()), Size: 1}},
			Namespaces: []specs.LinuxNamespace{
				{Type: specs.UserNamespace},
				{Type: specs.MountNamespace},
				{Type: specs.PIDNamespace},
				{Type: specs.NetworkNamespace},
				{Type: specs.IPCNamespace},
				{Type: specs.UTSNamespace},
			},
		},
	}
	text, err := json.Marshal(spec)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(bundle, "config.json"), text, 0o644)
}

func readOnlyBind(path string) specs.Mount {
	return specs.Mount{Destination: path, Type: "bind", Source: path, Options: []string{"rbind", "ro"}}
}
