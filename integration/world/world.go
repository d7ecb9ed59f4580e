// Package world is the network in which tests run programs: the host's, and at the
// other end of a cable a peer's. The tests are in namespaces of their own, so that none
// of it meets the machine's. It must not know what a test is about.
package world

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Enter runs the tests again in new namespaces (CLONE_NEW* of clone(2)), where the
// environment has the variable stage, and returns their exit status.
func Enter(stage string, namespaces uintptr) int {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), stage+"=inside")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: namespaces, Pdeathsig: unix.SIGKILL}
	runtime.LockOSThread() // the death signal is that of the thread (prctl(2))
	if err := cmd.Run(); err != nil {
		if cmd.ProcessState == nil {
			fmt.Fprintln(os.Stderr, "start the tests in namespaces of their own:", err)
			return 1
		}
		return cmd.ProcessState.ExitCode()
	}
	return 0
}

// IP runs commands of ip(8) in the network namespace of the calling thread.
func IP(commands ...string) error {
	for _, command := range commands {
		if out, err := exec.Command("ip", strings.Fields(command)...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %s: %w: %s", command, err, out)
		}
	}
	return nil
}
