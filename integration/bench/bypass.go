package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// bypass4netns is the carrier that hands over sockets as pysandbox does: a container
// of runc's sends it its connects, and it answers with sockets of the host. found is
// false where one of the two is not installed.
func bypass4netns(python, scratch string) (c contender, found bool) {
	agent, err := exec.LookPath("bypass4netns")
	if err != nil {
		return contender{}, false
	}
	runc, err := exec.LookPath("runc")
	if err != nil {
		return contender{}, false
	}
	dir := filepath.Join(scratch, "bypass4netns")
	socket := filepath.Join(dir, "agent")
	runs := 0
	return contender{
		name: "bypass4netns", note: "hands over sockets, in a container of runc's; no rules", carrier: true,
		measures: []metric{allowed, crowded, roundTrip, throughput},
		command: func(args ...string) *exec.Cmd {
			runs++
			id := fmt.Sprintf("pysandbox-bench-%d-bypass-%d", os.Getpid(), runs)
			cmd := exec.Command("bash", "-c", bypassScript, "bash", agent, socket, runc, dir, id)
			cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+dir)
			err := os.MkdirAll(filepath.Join(dir, "rootfs"), 0o755)
			if err == nil {
				err = writeBundle(dir, append([]string{python}, args...), notifyOfSockets(socket))
			}
			if err != nil {
				cmd.Err = err // Start and Run return it
			}
			return cmd
		},
	}, true
}

// bypassScript runs the bundle under an agent of its own.
const bypassScript = `set -e
agent=$1 socket=$2 runc=$3 bundle=$4 id=$5
coproc AGENT { exec "$agent" --socket "$socket" --ready-fd 1 2>"$bundle/log"; }
trap 'kill $AGENT_PID 2>/dev/null || true' EXIT
read -r -n 1 -t 10 <&"${AGENT[0]}" || { cat "$bundle/log" >&2; exit 1; }
"$runc" --root "$bundle/state" run --bundle "$bundle" "$id"
`

// notifyOfSockets is the profile that bypass4netns asks for (test/seccomp.json.sh
// there): everything is permitted, and calls on sockets are sent to it.
func notifyOfSockets(socket string) *specs.LinuxSeccomp {
	return &specs.LinuxSeccomp{
		DefaultAction: specs.ActAllow,
		Architectures: []specs.Arch{specs.ArchX86_64, specs.ArchX86, specs.ArchX32},
		ListenerPath:  socket,
		Syscalls: []specs.LinuxSyscall{{
			Names:  []string{"bind", "close", "connect", "setsockopt", "fcntl", "_exit", "exit_group", "getpeername"},
			Action: specs.ActNotify,
		}},
	}
}
