package testenv

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// DockerEngine is a dockerd(8) of its own, which touches no network of this machine.
type DockerEngine struct {
	daemon *exec.Cmd
	dir    string
	group  string // parent of the containers' control groups
}

// dockerPatience is how long an engine may take to answer, and to end.
const dockerPatience = 30 * time.Second

// StartDocker starts an engine that ends with the test. It needs Docker.
func StartDocker(tb testing.TB) *DockerEngine {
	tb.Helper()
	engine, err := startDocker(WorldDir(tb))
	if err != nil {
		tb.Fatalf("testenv: %v", err)
	}
	tb.Cleanup(func() {
		if err := engine.stop(); err != nil {
			tb.Errorf("testenv: %v", err)
		}
	})
	return engine
}

// Command is docker(1) with arguments, for this engine.
func (e *DockerEngine) Command(args ...string) *exec.Cmd {
	return exec.Command("docker", append([]string{"--host", e.address()}, args...)...)
}

func (e *DockerEngine) address() string { return "unix://" + filepath.Join(e.dir, "socket") }

// probeDocker starts an engine and ends it.
func probeDocker() error {
	if err := errors.Join(probeRoot(), probeProgram("dockerd"), probeProgram("docker")); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "pysandbox-docker-")
	if err != nil {
		return err
	}
	engine, err := startDocker(dir)
	if err == nil {
		err = engine.stop()
	}
	return errors.Join(err, os.RemoveAll(dir))
}

// startDocker starts an engine in dir and waits until it answers. Its mounts are in a
// namespace of its own, so that none outlives it.
func startDocker(dir string) (*DockerEngine, error) {
	e := &DockerEngine{dir: dir, group: filepath.Base(dir)}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	e.daemon = exec.Command("dockerd",
		"--host", e.address(), "--cgroup-parent", e.group,
		"--data-root", filepath.Join(dir, "data"), "--exec-root", filepath.Join(dir, "exec"), "--pidfile", filepath.Join(dir, "pid"),
		"--bridge", "none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false")
	e.daemon.Stdout, e.daemon.Stderr = log, log
	e.daemon.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	if err := e.daemon.Start(); err != nil {
		return nil, fmt.Errorf("start dockerd: %w", err)
	}
	for end := time.Now().Add(dockerPatience); ; time.Sleep(50 * time.Millisecond) {
		answer := runQuietly(e.Command("version"))
		if answer == nil {
			return e, nil
		}
		if time.Now().After(end) {
			said, _ := os.ReadFile(log.Name())
			return nil, errors.Join(fmt.Errorf("wait for dockerd: %w\n%s", answer, said), e.stop())
		}
	}
}

// stop ends the engine and removes the groups that it leaves.
func (e *DockerEngine) stop() error {
	_ = e.daemon.Process.Signal(syscall.SIGTERM)
	late := time.AfterFunc(dockerPatience, func() { _ = e.daemon.Process.Kill() })
	defer late.Stop()
	err := e.daemon.Wait()
	for _, name := range []string{e.group, "docker"} {
		groups, _ := filepath.Glob(filepath.Join(cgroupRoot, "*", name))
		for _, group := range append(groups, filepath.Join(cgroupRoot, name)) {
			_ = os.Remove(group) // one that is in use stays
		}
	}
	if err != nil {
		return fmt.Errorf("end dockerd: %w", err)
	}
	return nil
}
