package namespaces_test

import (
	"math/rand/v2"
	"path"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/namespaces"
)

// TestRightsMatchTheHeader compares with the constants that x/sys takes from
// linux/landlock.h.
func TestRightsMatchTheHeader(t *testing.T) {
	for right, want := range map[namespaces.LandlockRights]uint64{
		namespaces.RightExecute:    unix.LANDLOCK_ACCESS_FS_EXECUTE,
		namespaces.RightWriteFile:  unix.LANDLOCK_ACCESS_FS_WRITE_FILE,
		namespaces.RightReadFile:   unix.LANDLOCK_ACCESS_FS_READ_FILE,
		namespaces.RightReadDir:    unix.LANDLOCK_ACCESS_FS_READ_DIR,
		namespaces.RightRemoveDir:  unix.LANDLOCK_ACCESS_FS_REMOVE_DIR,
		namespaces.RightRemoveFile: unix.LANDLOCK_ACCESS_FS_REMOVE_FILE,
		namespaces.RightMakeChar:   unix.LANDLOCK_ACCESS_FS_MAKE_CHAR,
		namespaces.RightMakeDir:    unix.LANDLOCK_ACCESS_FS_MAKE_DIR,
		namespaces.RightMakeReg:    unix.LANDLOCK_ACCESS_FS_MAKE_REG,
		namespaces.RightMakeSock:   unix.LANDLOCK_ACCESS_FS_MAKE_SOCK,
		namespaces.RightMakeFifo:   unix.LANDLOCK_ACCESS_FS_MAKE_FIFO,
		namespaces.RightMakeBlock:  unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK,
		namespaces.RightMakeSym:    unix.LANDLOCK_ACCESS_FS_MAKE_SYM,
		namespaces.RightRefer:      unix.LANDLOCK_ACCESS_FS_REFER,
		namespaces.RightTruncate:   unix.LANDLOCK_ACCESS_FS_TRUNCATE,
		namespaces.RightIoctlDev:   unix.LANDLOCK_ACCESS_FS_IOCTL_DEV,
	} {
		if uint64(right) != want {
			t.Errorf("%v is %#x, the kernel's is %#x", right, uint64(right), want)
		}
	}
	for _, pair := range [][2]uint64{
		{uint64(namespaces.NetBindTCP), unix.LANDLOCK_ACCESS_NET_BIND_TCP},
		{uint64(namespaces.NetConnectTCP), unix.LANDLOCK_ACCESS_NET_CONNECT_TCP},
		{uint64(namespaces.ScopeAbstractUnix), unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET},
		{uint64(namespaces.ScopeSignal), unix.LANDLOCK_SCOPE_SIGNAL},
	} {
		if pair[0] != pair[1] {
			t.Errorf("bit %#x, the kernel's is %#x", pair[0], pair[1])
		}
	}
}

func TestHandledGrowsWithTheABI(t *testing.T) {
	for abi, want := range map[int]string{
		0: "files=none net=none scopes=none",
		1: "files=execute,write_file,read_file,read_dir,remove_dir,remove_file,make_char,make_dir,make_reg,make_sock,make_fifo,make_block,make_sym net=none scopes=none",
		7: "files=execute,write_file,read_file,read_dir,remove_dir,remove_file,make_char,make_dir,make_reg,make_sock,make_fifo,make_block,make_sym,refer,truncate,ioctl_dev net=bind_tcp,connect_tcp scopes=abstract_unix_socket,signal",
	} {
		if got := namespaces.Handled(abi).String(); got != want {
			t.Errorf("ABI %d governs %s, want %s", abi, got, want)
		}
	}
	added := map[int]namespaces.LandlockHandled{
		2: {Files: namespaces.RightRefer},
		3: {Files: namespaces.RightTruncate},
		4: {Net: namespaces.NetBindTCP | namespaces.NetConnectTCP},
		5: {Files: namespaces.RightIoctlDev},
		6: {Scopes: namespaces.ScopeAbstractUnix | namespaces.ScopeSignal},
		7: {},
		8: {},
	}
	for abi, want := range added {
		now, before := namespaces.Handled(abi), namespaces.Handled(abi-1)
		got := namespaces.LandlockHandled{
			Files:  now.Files &^ before.Files,
			Net:    now.Net &^ before.Net,
			Scopes: now.Scopes &^ before.Scopes,
		}
		if got != want {
			t.Errorf("ABI %d adds %v, want %v", abi, got, want)
		}
	}
}

func TestLandlockOperations(t *testing.T) {
	ruleset := namespaces.Landlock{Paths: []namespaces.LandlockPath{
		{Path: "/tmp", Rights: namespaces.RightsReadOnly},
		{Path: "/dev", Rights: namespaces.RightIoctlDev},
		{Path: "/tmp", Rights: namespaces.RightWriteFile | namespaces.RightTruncate},
	}}
	const want = "" +
		"landlock files=execute,write_file,read_file,read_dir,remove_dir,remove_file,make_char,make_dir,make_reg,make_sock,make_fifo,make_block,make_sym net=none scopes=none\n" +
		"landlock-path /tmp write_file,read_file,read_dir\n" +
		"landlock-enforce\n"
	if got := ruleset.Operations(1).String(); got != want {
		t.Errorf("for ABI 1:\n%swant\n%s", got, want)
	}
	if got := ruleset.Operations(0); got != nil {
		t.Errorf("without Landlock: %v", got)
	}
	if rules := ruleset.Operations(7); len(rules) != 4 {
		t.Errorf("for ABI 7: %v", rules)
	}
}

// granted is what rules grant at a path: the union of those on the way to it.
func granted(rules map[string]namespaces.LandlockRights, name string) namespaces.LandlockRights {
	rights := rules[name]
	for name != "/" {
		name = path.Dir(name)
		rights |= rules[name]
	}
	return rights
}

// Whatever the rules are, the operations grant the same everywhere, and none of
// them could be left out.
func TestLandlockOperationsGrantWhatTheRulesDo(t *testing.T) {
	names := []string{"/", "/a", "/a-b", "/a/b", "/a/b/c", "/a/bc", "/ab", "/b", "/b/c", "/b/c/d"}
	random := rand.New(rand.NewPCG(1, 2))
	left := 0
	for range 5000 {
		abi := 1 + random.IntN(7)
		var ruleset namespaces.Landlock
		want := make(map[string]namespaces.LandlockRights)
		for range random.IntN(12) {
			rule := namespaces.LandlockPath{
				Path:   names[random.IntN(len(names))],
				Rights: namespaces.LandlockRights(random.Uint64() & random.Uint64() & 0x700f),
			}
			ruleset.Paths = append(ruleset.Paths, rule)
			want[rule.Path] |= rule.Rights & namespaces.Handled(abi).Files
		}
		got := make(map[string]namespaces.LandlockRights)
		for _, op := range ruleset.Operations(abi) {
			if op.Code == namespaces.OpLandlockPath {
				if _, twice := got[op.S1]; twice {
					t.Fatalf("%v: two rules for %s", ruleset, op.S1)
				}
				got[op.S1] = namespaces.LandlockRights(op.N1)
			}
		}
		left += len(want) - len(got)
		for _, name := range names {
			if granted(got, name) != granted(want, name) {
				t.Fatalf("ABI %d, %v: %v at %s, want %v", abi, ruleset, granted(got, name), name, granted(want, name))
			}
		}
		for name, rights := range got {
			if delete(got, name); granted(got, name) == granted(want, name) {
				t.Fatalf("ABI %d, %v: the rule for %s grants nothing of its own", abi, ruleset, name)
			}
			got[name] = rights
		}
	}
	if left == 0 {
		t.Error("no rule was ever left out")
	}
}

func TestNoSetMakesDeviceNodes(t *testing.T) {
	sets := namespaces.RightsList | namespaces.RightsReadOnly | namespaces.RightsReadWrite | namespaces.RightsDevices
	if made := sets & (namespaces.RightMakeChar | namespaces.RightMakeBlock); made != 0 {
		t.Errorf("a set has the right %v", made)
	}
}
