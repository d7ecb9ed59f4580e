package attacks

import (
	"crypto/rand"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/testenv"
	"github.com/pysandbox/pysandbox/supervisor"
)

func TestResources(t *testing.T) {
	testenv.Need(t, testenv.CgroupMemory, testenv.CgroupPids)
	runAttacks(t, resources())
}

func TestSideChannels(t *testing.T) { runAttacks(t, sideChannels()) }

// resources are attempts to take more than the limits give.
func resources() []attack {
	ended := []supervisor.Outcome{supervisor.Exited, supervisor.LimitHit}
	return []attack{
		{
			program: "resource_fill",
			hows:    []string{"processes", "threads", "tmp", "shm", "file", "files", "descriptors"},
			set:     fill,
		},
		{program: "resource_fill", name: "resource_memory", hows: []string{"memory"}, set: fill, ends: ended},
		{
			// Of the kinds of memory, limits on a process count its own alone
			// (setrlimit(2), RLIMIT_DATA); an ordinary user has no group here.
			program: "resource_fill", name: "resource_memory_in_group", hows: []string{"shared memory", "memory files"},
			set: fill, ends: ended, only: "root",
		},
		{
			program: "resource_fill", name: "resource_output", hows: []string{"output"}, set: fill,
			ends: []supervisor.Outcome{supervisor.LimitHit},
		},
		{
			program: "resource_fill", name: "resource_cpu", hows: []string{"computation"}, set: fill,
			ends: []supervisor.Outcome{supervisor.LimitHit},
		},
		{
			program: "resource_fill", name: "resource_time", hows: []string{"stubborn"}, set: fill,
			ends: []supervisor.Outcome{supervisor.TimedOut},
		},
	}
}

// fill is a scene with a limit below the amount that the program wants.
func fill(t *testing.T, who account, how string) *scene {
	t.Helper()
	s := newScene(t, who)
	limits := map[string]struct {
		amount int
		flags  []string
		policy string
	}{
		"processes":     {100, []string{"--pids=32"}, ""},
		"threads":       {100, []string{"--pids=32"}, ""},
		"memory":        {256, []string{"--memory=128M"}, ""},
		"shared memory": {256, []string{"--memory=128M"}, ""},
		"memory files":  {256, []string{"--memory=128M"}, ""},
		"tmp":           {16, []string{"--tmp-size=8M"}, ""},
		"shm":           {16, nil, "[files]\nshm_size = \"8MiB\"\n"},
		"file":          {4, []string{"--file-size=1M"}, ""},
		"files":         {1000, nil, "[limits]\ninodes = 500\n"},
		"descriptors":   {200, []string{"--open-files=64"}, ""},
		"output":        {4, []string{"--output=1M"}, ""},
		"stubborn":      {15, []string{"--timeout=1s"}, ""},
		"computation":   {4, []string{"--cpu=1s"}, ""},
	}
	limit := limits[how]
	if how == "file" {
		s = directory("--allow-write=")(t, who, how)
		s.happened = saidEffect
	}
	s.target["amount"] = limit.amount
	s.flags = append(s.flags, limit.flags...)
	if limit.policy != "" {
		s.flags = append(s.flags, "--policy="+writePolicy(t, s, limit.policy))
	}
	return s
}

// sideChannels are what processes of one host share without a file or a network
// between them.
func sideChannels() []attack {
	return []attack{
		{program: "side_channel", hows: []string{"shm", "tmp"}, set: leftFile},
		{program: "side_channel", hows: []string{"sysv", "queue"}, set: leftSegment},
		{program: "side_channel", name: "side_channel_with_sysv", hows: []string{"sysv", "queue"}, set: leftSegmentAllowed},
	}
}

// leftFile is a scene with a file in a directory that everyone shares.
func leftFile(t *testing.T, who account, how string) *scene {
	t.Helper()
	s := newScene(t, who)
	dir := map[string]string{"shm": "/dev/shm", "tmp": "/tmp"}[how]
	path := filepath.Join(dir, "attack-"+rand.Text())
	token := writeSecret(t, path, 0o644)
	t.Cleanup(func() { _ = os.Remove(path) })
	s.target["path"] = path
	s.happened = func(run ended) bool { return strings.Contains(run.stdout, token) }
	return s
}

// leftSegment is a scene with a segment of memory, or a queue, that everyone may
// use (shmget(2), msgget(2)).
func leftSegment(t *testing.T, who account, how string) *scene {
	t.Helper()
	s := newScene(t, who)
	var key [4]byte
	_, _ = rand.Read(key[:])
	number := int(binary.LittleEndian.Uint32(key[:]) >> 1)
	token := rand.Text()
	if how == "sysv" {
		id, err := unix.SysvShmGet(number, 4096, unix.IPC_CREAT|0o666)
		if err != nil {
			t.Fatal(err)
		}
		memory, err := unix.SysvShmAttach(id, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		copy(memory, token)
		t.Cleanup(func() {
			_ = unix.SysvShmDetach(memory)
			_, _ = unix.SysvShmCtl(id, unix.IPC_RMID, nil)
		})
	} else {
		makeQueue(t, number, token)
	}
	s.target["key"] = number
	s.happened = func(run ended) bool { return strings.Contains(run.stdout, token) }
	return s
}

// leftSegmentAllowed is the same for a program that may use System V IPC.
func leftSegmentAllowed(t *testing.T, who account, how string) *scene {
	t.Helper()
	s := leftSegment(t, who, how)
	s.flags = []string{"--policy=" + writePolicy(t, s, "[syscalls]\nallow = [\"sysv\"]\n")}
	return s
}
