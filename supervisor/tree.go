package supervisor

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// tree looks at the processes of a sandbox through the host's /proc, for what no
// control group counts. It samples: what is short can be missed.
type tree struct{ root int } // PID 1 of the sandbox, on the host

// clockTick is the unit of times in /proc/PID/stat: USER_HZ is 100 on every
// architecture that Go runs on (proc(5), sysconf(3)).
const clockTick = 10 * time.Millisecond

// pids yields the processes of the tree, the root first. Every process of a PID
// namespace descends from its first, which adopts orphans.
func (t tree) pids(yield func(pid int) bool) {
	pids := []int{t.root}
	for i := 0; i < len(pids) && yield(pids[i]); i++ {
		pids = append(pids, children(pids[i])...)
	}
}

// children reads /proc/PID/task/TID/children (proc(5), CONFIG_PROC_CHILDREN),
// for each thread, because a process is the child of the thread that forked it.
func children(pid int) []int {
	dir := "/proc/" + strconv.Itoa(pid) + "/task/"
	threads, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var pids []int
	for _, thread := range threads {
		data, err := os.ReadFile(dir + thread.Name() + "/children")
		if err != nil {
			continue
		}
		for field := range strings.FieldsSeq(string(data)) {
			if child, err := strconv.Atoi(field); err == nil {
				pids = append(pids, child)
			}
		}
	}
	return pids
}

// sample is the state of a tree at one moment.
type sample struct {
	cpu       time.Duration // of the root only what it waited for: its own is not the program's
	tasks     int           // processes and threads, without the root
	openFiles int           // most descriptors that one process holds
	memory    int64         // bytes that the largest process has in memory, without the root
}

// sample looks at every process, or until enough says so of the number that it has
// looked at: in a fork bomb's tree there are many, and little time to look.
func (t tree) sample(enough func(looked int) bool) sample {
	var s sample
	looked := 0
	for pid := range t.pids {
		p := stat(pid)
		s.cpu += p.waited
		if pid != t.root {
			s.cpu += p.own
			s.tasks += p.threads
			s.memory = max(s.memory, p.memory)
		}
		s.openFiles = max(s.openFiles, openFiles(pid))
		if looked++; enough(looked) {
			break
		}
	}
	return s
}

// process is what /proc/PID/stat says of a process: its CPU time, that of the children
// which it has waited for, its number of threads, and the bytes that it has in memory.
type process struct {
	own, waited time.Duration
	threads     int
	memory      int64
}

// stat tells of a process; one that is gone has nothing.
func stat(pid int) process {
	number, alive := statFields(pid)
	if !alive {
		return process{}
	}
	ticks := func(field int) time.Duration { return time.Duration(number(field)) * clockTick }
	return process{
		own: ticks(14) + ticks(15), waited: ticks(16) + ticks(17),
		threads: int(number(20)), memory: number(24) * int64(os.Getpagesize()),
	}
}

// statFields reads /proc/PID/stat and returns its numbers by their place, from 4 on, as
// proc(5) counts them; alive is false for a process that is gone.
func statFields(pid int) (number func(field int) int64, alive bool) {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return nil, false
	}
	// The name in field 2 is the program's choice; what follows its last ")" is
	// the kernel's.
	const after = 3 // the first field after the name
	fields := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:])
	return func(field int) int64 {
		if field-after >= len(fields) {
			return 0
		}
		n, _ := strconv.ParseInt(string(fields[field-after]), 10, 64)
		return n
	}, true
}

// openFiles is how many descriptors a process holds: the size of its directory
// /proc/PID/fd since Linux 6.2, the number of its entries before.
func openFiles(pid int) int {
	dir := "/proc/" + strconv.Itoa(pid) + "/fd"
	var st unix.Stat_t
	if unix.Stat(dir, &st) == nil && st.Size > 0 {
		return int(st.Size)
	}
	return entries(dir)
}

func entries(dir string) int {
	file, err := os.Open(dir)
	if err != nil {
		return 0
	}
	defer file.Close()
	names, _ := file.Readdirnames(-1)
	return len(names)
}
