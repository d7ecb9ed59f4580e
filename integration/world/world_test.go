package world

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// peerProcess is what the peer becomes. It differs from what any other test
// leaves among the processes.
func peerProcess() string { return fmt.Sprintf("sleep 60.%d", os.Getpid()) }

// runWorld runs the script in the world, with a peer that only says it is ready.
func runWorld(t *testing.T, uid uint32, script string) (string, error) {
	t.Helper()
	dir := testenv.WorldDir(t)
	if err := os.CopyFS(dir, os.DirFS(".")); err != nil {
		t.Fatal(err)
	}
	peer := filepath.Join(dir, "peer")
	if err := os.WriteFile(peer, []byte("#!/bin/sh\necho ready; exec "+peerProcess()+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(dir, "run"), "--peer", peer, "--", "sh", "-c", script)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	output, err := testenv.RunAs(t, uid, cmd).CombinedOutput()
	return string(output), err
}

func TestCommandKeepsItsUserAndHasOnlyTheWorldsNetwork(t *testing.T) {
	testenv.Need(t, testenv.UserNS, testenv.NetNSAdmin)
	for _, uid := range testenv.Users() {
		t.Run(fmt.Sprint(uid), func(t *testing.T) {
			output, err := runWorld(t, uid, "id -u; ip -brief address | awk '{print $1, $3}'; cat /etc/resolv.conf")
			want := fmt.Sprintf("%d\nlo 127.0.0.1/8\nveth0@if2 203.0.113.1/24\nnameserver 203.0.113.80\n", uid)
			if err != nil || output != want {
				t.Errorf("%v\n%s\nwant\n%s", err, output, want)
			}
		})
	}
}

func TestOrdinaryUserHoldsNoCapability(t *testing.T) {
	testenv.Need(t, testenv.UserNS, testenv.NetNSAdmin)
	output, err := runWorld(t, testenv.OrdinaryUser(), "grep -E 'Cap(Prm|Eff|Amb)' /proc/self/status | sort -u -k 2 | wc -l; grep CapEff /proc/self/status")
	if err != nil || output != "1\nCapEff:\t0000000000000000\n" {
		t.Errorf("%v\n%s", err, output)
	}
}

func TestPeerThatIsAShellListIsExplained(t *testing.T) {
	testenv.Need(t, testenv.UserNS, testenv.NetNSAdmin)
	for _, peer := range []string{"true; echo ready", "echo hi && echo ready"} {
		output, err := exec.Command("./run", "--peer", peer, "--", "true").CombinedOutput()
		if err == nil || !strings.Contains(string(output), "world: the peer did not say ready\nhint: PEER COMMAND is split into words") {
			t.Errorf("%s: %v\n%s", peer, err, output)
		}
	}
}

func TestExitStatusIsTheCommands(t *testing.T) {
	testenv.Need(t, testenv.UserNS, testenv.NetNSAdmin)
	for _, uid := range testenv.Users() {
		if output, err := runWorld(t, uid, "exit 7"); err == nil || err.Error() != "exit status 7" {
			t.Errorf("uid %d: %v\n%s", uid, err, output)
		}
	}
}

func TestThePeerEndsWithTheCommand(t *testing.T) {
	testenv.Need(t, testenv.UserNS, testenv.NetNSAdmin)
	// Finds the argument of the peer's, and not this command's own.
	find := fmt.Sprintf("grep -qszx '60[.]%d' /proc/[0-9]*/cmdline", os.Getpid())
	if output, err := runWorld(t, testenv.OrdinaryUser(), find); err != nil {
		t.Fatalf("the peer does not run beside the command: %v\n%s", err, output)
	}
	if exec.Command("sh", "-c", find).Run() == nil {
		t.Error("the peer is still there")
	}
}

func TestMisuseIsExplained(t *testing.T) {
	output, err := exec.Command("./run", "sh", "-c", "true").CombinedOutput()
	if err == nil || !strings.Contains(string(output), "usage: ") {
		t.Errorf("%v\n%s", err, output)
	}
}
