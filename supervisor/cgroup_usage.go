package supervisor

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/opencontainers/cgroups"
	"golang.org/x/sys/unix"
)

// counter names where a control group counts something: a file with one number,
// or the line of a file that starts with key.
type counter struct{ controller, file, key string }

type counters struct{ oomKills, peakMemory, peakPids, pidsDenied, cpu counter }

// v1Counters are those of v1. There, CPU time is in nanoseconds.
func v1Counters() counters {
	return counters{
		oomKills:   counter{"memory", "memory.oom_control", "oom_kill"},
		peakMemory: counter{"memory", "memory.max_usage_in_bytes", ""},
		peakPids:   counter{"pids", "pids.peak", ""},
		pidsDenied: counter{"pids", "pids.events", "max"},
		cpu:        counter{"cpuacct", "cpuacct.usage", ""},
	}
}

// v2Counters are those of v2: memory.peak since Linux 5.19, pids.peak since 6.2. CPU time is
// in microseconds, and counted without the cpu controller too.
func v2Counters() counters {
	return counters{
		oomKills:   counter{"", "memory.events", "oom_kill"},
		peakMemory: counter{"", "memory.peak", ""},
		peakPids:   counter{"", "pids.peak", ""},
		pidsDenied: counter{"", "pids.events", "max"},
		cpu:        counter{"", "cpu.stat", "usage_usec"},
	}
}

func (c *Cgroup) counters() counters {
	if c.Kind == CgroupV1 {
		return v1Counters()
	}
	return v2Counters()
}

// read returns the value, or false where the kernel or the group has none. A
// group that is gone keeps the value that was read last: systemd removes a scope
// as soon as its last process has ended.
func (c *Cgroup) read(from counter) (uint64, bool) {
	n, ok := c.readFile(from)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !ok {
		n, ok = c.last[from]
		return n, ok
	}
	if c.last == nil {
		c.last = make(map[counter]uint64)
	}
	c.last[from] = n
	return n, true
}

// note reads every counter, for later.
func (c *Cgroup) note() {
	if c == nil {
		return
	}
	all := c.counters()
	for _, from := range []counter{all.oomKills, all.peakMemory, all.peakPids, all.pidsDenied, all.cpu} {
		c.read(from)
	}
}

func (c *Cgroup) readFile(from counter) (uint64, bool) {
	dir, ok := c.dirs[from.controller]
	if !ok {
		return 0, false
	}
	text, err := cgroups.ReadFile(dir, from.file)
	if err != nil {
		return 0, false
	}
	if from.key != "" {
		if text, ok = valueOf(text, from.key); !ok {
			return 0, false
		}
	}
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 64)
	return n, err == nil
}

// valueOf finds the value of a key in lines "key value".
func valueOf(text, key string) (string, bool) {
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(line, " "); ok && name == key {
			return value, true
		}
	}
	return "", false
}

// alarm returns a file that becomes readable when the kernel kills for memory, or
// may become so; without a group it never does. The caller closes it.
func (c *Cgroup) alarm() (*os.File, error) {
	if c != nil && c.events != nil {
		file := c.events
		c.events = nil
		return file, nil
	}
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("make an event: %w", err)
	}
	return os.NewFile(uintptr(fd), "alarm"), nil
}

// OOMKills is how many processes the kernel has killed because the group was at
// its memory limit.
func (c *Cgroup) OOMKills() uint64 {
	if c == nil {
		return 0
	}
	n, _ := c.read(c.counters().oomKills)
	return n
}

// CPU is the CPU time that the group has used, processes that have ended
// included; false if it does not count it.
func (c *Cgroup) CPU() (time.Duration, bool) {
	if c == nil {
		return 0, false
	}
	n, ok := c.read(c.counters().cpu)
	unit := time.Microsecond
	if c.Kind == CgroupV1 {
		unit = time.Nanosecond
	}
	return time.Duration(n) * unit, ok
}

// PeakMemory is the most memory that the group has held, in bytes; false if it
// does not count it.
func (c *Cgroup) PeakMemory() (int64, bool) {
	if c == nil {
		return 0, false
	}
	n, ok := c.read(c.counters().peakMemory)
	return int64(n), ok
}

// Pids tells the most processes and threads that the group has held at once,
// and whether one more was refused; false if it does not count them.
func (c *Cgroup) Pids() (peak int, denied, ok bool) {
	if c == nil {
		return 0, false, false
	}
	n, ok := c.read(c.counters().peakPids)
	refused, known := c.read(c.counters().pidsDenied)
	return int(n), refused > 0, ok || known
}
