package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// memory starts each sandbox with a program that waits, and reads the private
// dirty pages of the process that was started (the supervisor) and of its first
// child (PID 1 inside).
func memory(r *results, field []contender, plan roundPlan) error {
	for range plan.memoryRounds {
		for _, contender := range sandboxes(field) {
			if contender.name == bare || contender.name == cgroup {
				continue
			}
			err := readMemory(r, contender)
			if errors.Is(err, fs.ErrPermission) {
				fmt.Fprintf(os.Stderr, "bench: the memory of %s can be read as root only\n", contender.name)
				continue
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func readMemory(r *results, contender contender) error {
	cmd := contender.command("-I", "-S", "-c", "print('up', flush=True); input()")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	line, readErr := bufio.NewReader(stdout).ReadString('\n')
	measureErr := func() error {
		if readErr != nil || line != "up\n" {
			return fmt.Errorf("%s said %q: %w", contender.name, line, readErr)
		}
		return recordMemory(r, contender.name, cmd)
	}()
	_, writeErr := stdin.Write([]byte("\n"))
	return errors.Join(measureErr, writeErr, cmd.Wait())
}

func recordMemory(r *results, name string, cmd *exec.Cmd) error {
	own, err := privateDirty(cmd.Process.Pid)
	if err != nil {
		return err
	}
	r.add(name, memoryParent, own)
	child, err := firstChild(cmd.Process.Pid)
	if err != nil {
		return err
	}
	inside, err := privateDirty(child)
	if err != nil {
		return err
	}
	r.add(name, memoryPID1, inside)
	return nil
}

// firstChild reads /proc/<pid>/task/<tid>/children of every thread (proc(5)): a
// child belongs to the thread that made it.
func firstChild(pid int) (int, error) {
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return 0, err
	}
	for _, task := range tasks {
		list, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", pid, task.Name()))
		if err != nil {
			return 0, err
		}
		if fields := bytes.Fields(list); len(fields) > 0 {
			return strconv.Atoi(string(fields[0]))
		}
	}
	return 0, fmt.Errorf("process %d has no child", pid)
}

// privateDirty returns Private_Dirty of /proc/<pid>/smaps_rollup, in bytes.
func privateDirty(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "Private_Dirty:"); ok {
			kib, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 64)
			return kib * 1024, err
		}
	}
	return 0, fmt.Errorf("/proc/%d/smaps_rollup has no Private_Dirty", pid)
}
