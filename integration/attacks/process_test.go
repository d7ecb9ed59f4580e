package attacks

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

func TestSupervisorAsTarget(t *testing.T) { runAttacks(t, supervisorAsTarget()) }

// supervisorAsTarget are attacks on processes outside: the supervisor, its stage,
// and others of the same user.
func supervisorAsTarget() []attack {
	everyone := withoutControl("it would act on every process of the user")
	return []attack{
		{
			program: "supervisor_listener",
			hows:    []string{"listener", "listener with tsync", "killable listener"},
		},
		{
			program: "supervisor_listener", name: "supervisor_listener_with_filters_allowed",
			hows: []string{"listener", "listener with tsync", "killable listener"},
			set:  filtersAllowed,
		},
		{
			program: "supervisor_process",
			hows: []string{
				"kill", "tkill", "tgkill", "queue", "pidfd", "own", "limit", "memory", "vm", "trace",
				"steal", "links", "environment", "priority", "affinity",
			},
			set: victimOutside,
		},
		{
			// Inside, these act on PID 1 or on the program itself, and succeed.
			program: "supervisor_process", name: "supervisor_process_by_group", harmless: true,
			hows: []string{"group", "own group"},
			set:  victimInGroup,
		},
		{
			program: "supervisor_process", name: "supervisor_process_pace_of_group",
			hows: []string{"priority of group"},
			set:  victimInGroup,
		},
		{
			program: "supervisor_process", name: "supervisor_process_everyone", harmless: true,
			hows: []string{"everyone"},
			set:  victimOutside, control: everyone,
		},
		{
			program: "supervisor_process", name: "supervisor_process_pace_of_user",
			hows: []string{"priority of user"},
			set:  victimOutside, control: everyone,
		},
		{program: "supervisor_descriptors", set: leakedDescriptors},
		{program: "supervisor_exhaust", set: fewDescriptors, flags: []string{"--preset=http-only"}, says: "done"},
		{program: "fs_processes", set: victimOutside},
	}
}

// filtersAllowed is a policy that lets the program install filters of its own.
func filtersAllowed(t *testing.T, who account, _ string) *scene {
	t.Helper()
	s := newScene(t, who)
	s.flags = []string{"--policy=" + writePolicy(t, s, "[syscalls]\nallow = [\"confine\"]\n")}
	return s
}

// writePolicy writes a policy file beside the scene's other files.
func writePolicy(t *testing.T, s *scene, text string) string {
	t.Helper()
	file := filepath.Join(testenv.WorldDir(t), "policy.toml")
	if err := os.WriteFile(file, []byte("version = 1\n"+text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// victimOutside is a scene with a process of the same user outside.
func victimOutside(t *testing.T, who account, _ string) *scene {
	t.Helper()
	s := newScene(t, who)
	victim := startVictim(t, s, who)
	s.target["pid"] = victim
	before := fingerprint(victim)
	s.happened = func(run ended) bool {
		if saidEffect(run) {
			return true
		}
		for end := time.Now().Add(run.grace()); fingerprint(victim) == before && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		return fingerprint(victim) != before
	}
	return s
}

// victimInGroup is a scene with a process in the process group of pysandbox.
func victimInGroup(t *testing.T, who account, how string) *scene {
	t.Helper()
	s := victimOutside(t, who, how)
	s.prepare = func(cmd *exec.Cmd) {
		if cmd.SysProcAttr == nil {
			cmd.SysProcAttr = &syscall.SysProcAttr{}
		}
		cmd.SysProcAttr.Setpgid = true
		cmd.SysProcAttr.Pgid = s.target["pid"].(int)
	}
	return s
}

// startVictim starts a process in a process group of its own.
func startVictim(t *testing.T, s *scene, who account) int {
	t.Helper()
	victim := exec.Command("/bin/sleep", "600")
	victim.Dir = s.dir
	dir, err := os.Open(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	victim.ExtraFiles = []*os.File{dir}
	victim.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := testenv.RunAs(t, who.uid, victim).Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = victim.Process.Kill()
		_ = victim.Wait()
	})
	return victim.Process.Pid
}

// fingerprint is what the attacks could change of a process.
func fingerprint(pid int) string {
	proc := fmt.Sprintf("/proc/%d/", pid)
	stat, _ := os.ReadFile(proc + "stat")
	limits, _ := os.ReadFile(proc + "limits")
	var cpus unix.CPUSet
	_ = unix.SchedGetaffinity(pid, &cpus)
	fields := strings.Fields(string(stat))
	if len(fields) < 19 {
		return "gone"
	}
	state, nice := fields[2], fields[18]
	return fmt.Sprint(state == "Z" || state == "T" || state == "t", nice, cpus.Count(), string(limits))
}

// leakedDescriptors are files that the caller of pysandbox did not close.
func leakedDescriptors(t *testing.T, who account, _ string) *scene {
	t.Helper()
	s := newScene(t, who)
	token := writeSecret(t, filepath.Join(s.dir, "secret"), 0o600)
	s.prepare = func(cmd *exec.Cmd) {
		for range 20 {
			file, err := os.Open(filepath.Join(s.dir, "secret"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = file.Close() })
			cmd.ExtraFiles = append(cmd.ExtraFiles, file)
		}
	}
	s.happened = func(run ended) bool { return saidEffect(run) || strings.Contains(run.stdout, token) }
	return s
}

// fewDescriptors is a supervisor that cannot open many files.
func fewDescriptors(t *testing.T, who account, how string) *scene {
	t.Helper()
	s := canaryBesideWeb(t, who, how)
	s.target["connections"] = 140
	s.prepare = func(cmd *exec.Cmd) {
		if !s.sandboxed {
			return // the limit would be the control's own
		}
		cmd.Args = append([]string{"sh", "-c", `ulimit -n 160; exec "$0" "$@"`, cmd.Path}, cmd.Args[1:]...)
		cmd.Path = "/bin/sh"
	}
	return s
}
