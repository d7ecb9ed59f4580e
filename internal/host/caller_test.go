package host

import (
	"os"
	"os/exec"
	"testing"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// unmappedVariable marks a run of this test in a user namespace without root.
const unmappedVariable = "PYSANDBOX_HOST_UNMAPPED"

func TestTrustsRootAndTheCallerOnly(t *testing.T) {
	caller := Caller{UID: 1000}
	for uid, want := range map[uint32]bool{0: true, 1000: true, 1001: false, 65534: false} {
		if got := caller.trusts(uid); got != want {
			t.Errorf("a caller of uid 1000 trusts uid %d: %v", uid, got)
		}
	}
}

// TestTrustsTheSystemWhereRootHasNoNumber runs itself in a user namespace that
// maps one ordinary uid alone, where files of root's appear as the overflow uid.
func TestTrustsTheSystemWhereRootHasNoNumber(t *testing.T) {
	if os.Getenv(unmappedVariable) == "" {
		testenv.Need(t, testenv.UserNS)
		cmd := exec.Command("unshare", "--user", "--map-user=23456", os.Args[0], "-test.run=^"+t.Name()+"$")
		cmd.Env = append(os.Environ(), unmappedVariable+"=1")
		if output, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, output)
		}
		return
	}
	info, err := os.ReadFile("/proc/self/uid_map")
	if err != nil || os.Getuid() != 23456 {
		t.Fatalf("uid %d, map %s: %v", os.Getuid(), info, err)
	}
	system := systemOwner()
	if system == 0 {
		t.Fatal("root has a number; the test shows nothing")
	}
	caller := Caller{UID: 23456}
	if !caller.trusts(system) || !caller.trusts(23456) {
		t.Error("the system's files or the caller's own are not trusted")
	}
	if caller.trusts(1001) {
		t.Error("another user's files are trusted")
	}
}
