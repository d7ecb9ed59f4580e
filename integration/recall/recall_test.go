// Package recall tests that what a run remembers saves time and decides nothing.
package recall

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/pysandbox/pysandbox/internal/testenv"
	"github.com/pysandbox/pysandbox/namespaces"
)

// host is a home of its own, with a secret beside it.
type host struct {
	t                    *testing.T
	binary, home, secret string
	uid                  uint32
}

func eachUser(t *testing.T, test func(t *testing.T, h *host)) {
	t.Helper()
	testenv.Need(t, testenv.UserNS, testenv.Landlock, testenv.Notify)
	users := map[string]uint32{"user": uint32(os.Getuid())}
	if os.Getuid() == 0 {
		users = map[string]uint32{"root": 0, "user": testenv.Nobody}
	}
	for name, uid := range users {
		t.Run(name, func(t *testing.T) {
			h := &host{t: t, binary: testenv.Binary(t), home: testenv.WorldDir(t), uid: uid}
			h.secret = filepath.Join(testenv.WorldDir(t), "secret")
			if err := os.WriteFile(h.secret, []byte("the secret\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := os.Chown(h.home, int(uid), -1); err != nil {
				t.Fatal(err)
			}
			test(t, h)
		})
	}
}

// run runs pysandbox exec and returns what it printed, errors included.
func (h *host) run(args ...string) string {
	h.t.Helper()
	cmd := exec.Command(h.binary, append([]string{"exec"}, args...)...)
	cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + h.home}
	cmd.Dir = h.home
	out, err := testenv.RunAs(h.t, h.uid, cmd).CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		h.t.Fatal(err)
	}
	return string(out)
}

// memo is the file that a command line leaves and uses: it is named after the
// FNV-1a hash of the working directory and the words up to the program, and the
// binary.
func (h *host) memo(args ...string) string {
	key := fnv.New64a()
	for _, word := range append([]string{h.home, "exec"}, args...) {
		_, _ = key.Write(append([]byte(word), 0))
		if word == "-c" {
			break
		}
	}
	return fmt.Sprintf("%s/%d", h.memoDir(), (key.Sum64()+inode(h.binary))%64)
}

func (h *host) memoDir() string {
	if h.uid == 0 {
		return "/var/cache/pysandbox/plans"
	}
	return h.home + "/.cache/pysandbox/plans"
}

// memoOf runs a command line and returns the memo that it left.
func (h *host) memoOf(args ...string) string {
	h.t.Helper()
	file := h.memo(args...)
	if err := os.Remove(file); err != nil && !os.IsNotExist(err) {
		h.t.Fatal(err)
	}
	h.run(args...)
	if inode(file) == 0 {
		h.t.Fatalf("%v left no memo at %s", args, file)
	}
	return file
}

// inode is 0 for no file. A memo is replaced by another file, never changed.
func inode(file string) uint64 {
	info, err := os.Lstat(file)
	if err != nil {
		return 0
	}
	return info.Sys().(*syscall.Stat_t).Ino
}

const (
	readSecret = "import sys\ntry: print('READ', open(sys.argv[1]).read())\nexcept OSError as e: print('refused', e.errno)"
	// headerSize is sizeof(struct psb_memo_header).
	headerSize = 56
)

// undisturbed tries some times: root's memos are shared with whatever else runs on
// this machine, and another command line may have the same place.
func undisturbed(try func() bool) bool {
	for range 5 {
		if try() {
			return true
		}
	}
	return false
}

func TestTheSecondRunRecalls(t *testing.T) {
	eachUser(t, func(t *testing.T, h *host) {
		rules := filepath.Join(h.home, "rules.toml")
		if err := os.WriteFile(rules, []byte("version = 1\npython.modules.deny = [\"ctypes\"]\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, flag := range []string{"--preset=strict", "--policy=" + rules} { // direct, and by the bootstrap
			again := undisturbed(func() bool {
				file := h.memoOf(flag, "-c", "print(1)")
				first := inode(file)
				if out := h.run(flag, "-c", "print(2)"); out != "2\n" {
					t.Errorf("%s: the second run printed %q", flag, out)
				}
				return inode(file) == first
			})
			if !again {
				t.Errorf("%s: the second run wrote its memo again, so its plan was another one", flag)
			}
		}
		if out := h.run("--allow-read="+h.secret, "-c", readSecret, h.secret); !strings.Contains(out, "READ the secret") {
			t.Errorf("another command line printed %q", out)
		}
	})
}

// A policy that has changed since decides, not the memo of the run before.
func TestAChangedPolicyDecides(t *testing.T) {
	eachUser(t, func(t *testing.T, h *host) {
		policy := filepath.Join(h.home, "p.toml")
		write := func(text string) {
			if err := os.WriteFile(policy, []byte("version = 1\n"+text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		write("[files]\nread = [\"" + h.secret + "\"]\n")
		args := []string{"--policy=" + policy, "-c", readSecret, h.secret}
		for range 2 {
			if out := h.run(args...); !strings.Contains(out, "READ the secret") {
				t.Fatalf("control: printed %q", out)
			}
		}
		write("")
		for range 2 {
			if out := h.run(args...); strings.Contains(out, "READ") || !strings.Contains(out, "refused") {
				t.Errorf("after the policy had changed, the program printed %q", out)
			}
		}
	})
}

// A stage that was offered a channel, or none, by the plan of the run before gives way
// to one that gets what this run has.
func TestWhatWasOfferedAheadGoesWithTheStage(t *testing.T) {
	eachUser(t, func(t *testing.T, h *host) {
		policy := filepath.Join(h.home, "offer.toml")
		for i := range 6 {
			rules, want := "", "imported\n"
			if i%2 == 1 {
				rules, want = "python.modules.deny = [\"this\"]\n", "refused\n"
			}
			limits := []string{"", "limits.pids = 20\n", "limits = { pids = \"none\", memory = \"none\" }\n"}[i%3]
			if err := os.WriteFile(policy, []byte("version = 1\n"+rules+limits), 0o644); err != nil {
				t.Fatal(err)
			}
			const code = `
import contextlib, io
try:
    with contextlib.redirect_stdout(io.StringIO()):
        import this
    print("imported")
except ImportError:
    print("refused")
`
			for range 2 { // the second begins with the plan of the first
				if out := h.run("--quiet", "--policy="+policy, "-c", code); out != want {
					t.Fatalf("run %d under %q printed %q", i, rules+limits, out)
				}
			}
		}
	})
}

// A memo that somebody has put in the place of another, with a plan that allows
// more, is run by the stage and by no program.
func TestAPlantedMemoDecidesNothing(t *testing.T) {
	eachUser(t, func(t *testing.T, h *host) {
		generous, err := os.ReadFile(h.memoOf("--allow-read="+h.secret, "-c", readSecret, h.secret))
		if err != nil {
			t.Fatal(err)
		}
		file := h.memoOf("-c", readSecret, h.secret)
		strict, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		planted := append(bytes.Clone(strict[:headerSize]), generous[headerSize:]...)
		for name, content := range map[string][]byte{
			"generous":  planted,
			"truncated": strict[:len(strict)/2],
			"header":    strict[:headerSize],
			"no plan":   append(bytes.Clone(strict[:headerSize]), 0, 0, 0, 0),
			"sources":   append(bytes.Clone(strict[:headerSize]), bytes.Repeat([]byte{0xff}, 64)...),
			"flipped":   flipped(strict),
			"empty":     nil,
		} {
			replaced := undisturbed(func() bool {
				if err := os.WriteFile(file, content, 0o600); err != nil {
					t.Fatal(err)
				}
				if out := h.run("-c", readSecret, h.secret); strings.Contains(out, "READ") || !strings.Contains(out, "refused") {
					t.Errorf("with a memo that is %s, the program printed %q", name, out)
				}
				after, err := os.ReadFile(file)
				return err == nil && bytes.Equal(after, strict)
			})
			if !replaced {
				t.Errorf("a memo that is %s was not replaced", name)
			}
		}
	})
}

// flipped damages each eighth byte behind the header.
func flipped(memo []byte) []byte {
	damaged := bytes.Clone(memo)
	for i := headerSize; i < len(damaged); i += 8 {
		damaged[i] ^= 0x55
	}
	return damaged
}

// The stage runs a planted plan until the supervisor has made its own. Even so
// nothing is made on the host.
func TestAPlantedPlanMakesNothingOnTheHost(t *testing.T) {
	eachUser(t, func(t *testing.T, h *host) {
		strict, err := os.ReadFile(h.memoOf("-c", "print(1)"))
		if err != nil {
			t.Fatal(err)
		}
		victim := testenv.WorldDir(t)
		if err := os.Chown(victim, int(h.uid), -1); err != nil {
			t.Fatal(err)
		}
		bind := namespaces.Op{Code: namespaces.OpBind, S1: victim, S2: "/victim"}
		for name, plan := range map[string]namespaces.Program{
			"a file in a bind":      {bind, {Code: namespaces.OpFile, S1: "/victim/planted", Data: []byte("x"), N1: 0o600}},
			"a directory in a bind": {bind, {Code: namespaces.OpMkdir, S1: "/victim/planted", N1: 0o700}},
			"a link in a bind":      {bind, {Code: namespaces.OpSymlink, S1: "/victim/planted", S2: "x"}},
			"a mount point":         {bind, {Code: namespaces.OpTmpfs, S1: "/victim/planted/deep", N3: 0o700}},
			"a file of the host":    {{Code: namespaces.OpFile, S1: "/.host" + victim + "/planted", N1: 0o600}},
		} {
			encoded, err := plan.Encode()
			if err != nil {
				t.Fatal(err)
			}
			for range 5 {
				memo := append(append(bytes.Clone(strict[:headerSize]), 0, 0, 0, 0), encoded...)
				if err := os.WriteFile(h.memo("-c"), memo, 0o600); err != nil {
					t.Fatal(err)
				}
				if out := h.run("-c", "print(1)"); out != "1\n" {
					t.Errorf("%s: the program printed %q", name, out)
				}
				if made, _ := filepath.Glob(victim + "/*"); made != nil {
					t.Fatalf("%s: the plan made %v", name, made)
				}
			}
		}
	})
}

// What stands in the place of a memo is neither waited for nor written through.
func TestAMemoIsNoWayToOtherFiles(t *testing.T) {
	eachUser(t, func(t *testing.T, h *host) {
		file := h.memoOf("-c", "print(1)")
		precious := filepath.Join(h.home, "precious")
		for name, plant := range map[string]func(string) error{
			"a FIFO": func(path string) error { return syscall.Mkfifo(path, 0o600) },
			"a link": func(path string) error { return os.Symlink(precious, path) },
		} {
			if err := os.WriteFile(precious, []byte("precious"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
			if err := plant(file); err != nil {
				t.Fatal(err)
			}
			if out := h.run("-c", "print(1)"); out != "1\n" {
				t.Errorf("%s: the program printed %q", name, out)
			}
			if text, err := os.ReadFile(precious); err != nil || string(text) != "precious" {
				t.Errorf("%s: the file behind it is %q, %v", name, text, err)
			}
		}
		if h.uid == 0 {
			return
		}
		// A cache that others can look into is not used at all.
		if err := os.Chmod(h.memoDir(), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		if h.run("-c", "print(1)"); inode(file) != 0 {
			t.Error("a memo was written into a directory that others can look into")
		}
	})
}
