package attacks

import (
	"crypto/rand"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/supervisor"
)

func TestFiles(t *testing.T)         { runAttacks(t, files()) }
func TestStandardFiles(t *testing.T) { runAttacks(t, standardFiles()) }

// files are attacks on what the policy makes visible of the host's files.
func files() []attack {
	return []attack{
		{
			program: "fs_read",
			hows: []string{
				"plain", "roots", "working directories", "descriptors of processes", "parent of descriptor",
				"parent of magic link", "change of directory", "symbolic link",
			},
			set: secretBeside("--allow-read="),
		},
		{
			program: "fs_read", name: "fs_read_writable",
			hows: []string{
				"parent of descriptor", "change of directory", "symbolic link in the visible directory",
				"hard link", "hard link from descriptor", "rename", "moved directory",
			},
			set: secretBeside("--allow-write="),
		},
		{
			program: "fs_read", name: "fs_read_as_root", hows: []string{"change of root", "mount", "tree"},
			set: secretBeside("--allow-read="), control: alone(),
		},
		{
			program: "fs_write",
			hows: []string{
				"create", "append", "truncate", "truncate on open", "rename", "unlink", "mkdir", "mkfifo", "chmod",
				"fchmod", "times", "attribute", "link", "symlink", "socket", "reopen", "path only", "mapped",
				"exchange", "copy_file_range",
			},
			set: directory("--allow-read="),
		},
		{program: "fs_write", name: "fs_write_as_root", hows: []string{"remount"}, set: directory("--allow-read="), control: alone()},
		{
			program: "fs_setid",
			hows: []string{
				"chmod", "fchmod", "fchmodat", "fchmodat2", "open", "openat", "openat2", "temporary", "creat",
				"mknod", "mknodat", "fifo",
			},
			set: directoryWithoutSetID,
		},
		{
			program: "fs_owner",
			hows:    []string{"owner", "other owner", "group", "capability", "trusted", "block device", "character device"},
			set:     directory("--allow-write="), control: control{root: true},
		},
		{program: "fs_devices", hows: []string{"devices", "facts", "settings", "sys"}, control: alone()},
		{program: "fs_core", set: coreDumps, ends: []supervisor.Outcome{supervisor.Signaled}},
	}
}

// standardFiles are attacks on the files that the program starts with.
func standardFiles() []attack {
	return []attack{
		{program: "stdio_reopen", hows: []string{"stdin", "stderr", "stdin writable by all"}, set: standardFile},
		{program: "stdio_reopen", hows: []string{"stdout"}, set: standardFile, harmless: true}, // what is refused is said into the file
		{program: "stdio_reopen", hows: []string{"socket"}, set: socketAsInput, flags: []string{"--preset=http-only"}},
	}
}

// writeSecret writes a file with a word that nobody can guess, and returns it.
func writeSecret(t *testing.T, path string, mode fs.FileMode) string {
	t.Helper()
	token := rand.Text()
	if err := os.WriteFile(path, []byte(token+"\n"), mode); err != nil {
		t.Fatal(err)
	}
	return token
}

// secretBeside is a scene with a directory that the flag makes visible, and a
// secret beside it, which the account could read.
func secretBeside(flag string) func(*testing.T, account, string) *scene {
	return func(t *testing.T, who account, how string) *scene {
		t.Helper()
		s := directory(flag)(t, who, how)
		secret := filepath.Join(s.dir, "secret")
		token := writeSecret(t, secret, 0o644)
		own(t, secret, who)
		s.target["secret"] = secret
		s.target["pid"] = startVictim(t, s, who)
		s.happened = func(run ended) bool { return strings.Contains(run.stdout, token) }
		return s
	}
}

// directory is a scene with a directory that the flag makes visible. Its effect
// is any change in it.
func directory(flag string) func(*testing.T, account, string) *scene {
	return func(t *testing.T, who account, _ string) *scene {
		t.Helper()
		s := newScene(t, who)
		visible := filepath.Join(s.dir, "visible")
		for _, err := range []error{
			os.Mkdir(visible, 0o755),
			os.WriteFile(filepath.Join(visible, "file"), []byte("what was there\n"), 0o644),
			os.WriteFile(filepath.Join(visible, "other"), []byte("another\n"), 0o644),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{"", "file", "other"} {
			own(t, filepath.Join(visible, name), who)
		}
		s.target["visible"] = visible
		s.flags = []string{flag + visible}
		before := describe(t, visible)
		s.happened = func(ended) bool { return describe(t, visible) != before }
		return s
	}
}

// directoryWithoutSetID has the effect that a set-id bit appears.
func directoryWithoutSetID(t *testing.T, who account, how string) *scene {
	t.Helper()
	s := directory("--allow-write=")(t, who, how)
	s.happened = func(ended) bool {
		found := false
		err := filepath.WalkDir(s.target["visible"].(string), func(_ string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := entry.Info()
			found = found || err == nil && info.Mode()&(fs.ModeSetuid|fs.ModeSetgid) != 0
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	return s
}

// describe is everything about a directory that a program could change.
func describe(t *testing.T, dir string) string {
	t.Helper()
	var text strings.Builder
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var stat unix.Stat_t
		if err := unix.Lstat(path, &stat); err != nil {
			return err
		}
		attributes := make([]byte, 1024)
		n, _ := unix.Llistxattr(path, attributes)
		fmt.Fprintln(&text, path, stat.Mode, stat.Uid, stat.Gid, stat.Nlink, stat.Rdev, stat.Mtim.Nano(), string(attributes[:max(n, 0)]))
		if entry.Type().IsRegular() {
			content, err := os.ReadFile(path)
			text.Write(content)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// coreDumps is a scene that starts in a writable directory, without a limit on
// core files.
func coreDumps(t *testing.T, who account, how string) *scene {
	t.Helper()
	pattern, err := os.ReadFile("/proc/sys/kernel/core_pattern")
	if err != nil {
		t.Fatal(err)
	}
	s := directory("--allow-write=")(t, who, how)
	visible := s.target["visible"].(string)
	s.flags = append(s.flags, "--cwd="+visible)
	s.prepare = func(cmd *exec.Cmd) {
		cmd.Args = append([]string{"sh", "-c", `ulimit -c unlimited; cd "$0"; exec "$@"`, visible, cmd.Path}, cmd.Args[1:]...)
		cmd.Path = "/bin/sh"
	}
	s.happened = func(run ended) bool {
		found, _ := filepath.Glob(filepath.Join(visible, "*core*"))
		if strings.HasPrefix(string(pattern), "|") || strings.HasPrefix(string(pattern), "/") {
			t.Logf("core files go to %s here", pattern)
			return run.report == nil
		}
		return len(found) > 0
	}
	return s
}

// standardFile is a scene in which a standard file is a file of the account's.
func standardFile(t *testing.T, who account, how string) *scene {
	t.Helper()
	s := newScene(t, who)
	path := filepath.Join(s.dir, "precious")
	token := writeSecret(t, path, 0o644)
	if err := os.Lchown(path, int(who.uid), int(who.uid)); err != nil {
		t.Fatal(err)
	}
	mode := os.O_WRONLY | os.O_APPEND
	if strings.HasPrefix(how, "stdin") {
		mode = os.O_RDONLY
	}
	if how == "stdin writable by all" {
		if err := os.Chmod(path, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	s.prepare = func(cmd *exec.Cmd) {
		file, err := os.OpenFile(path, mode, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = file.Close() })
		switch {
		case mode == os.O_RDONLY:
			cmd.Stdin = file
		case how == "stdout":
			cmd.Stdout = file
		default:
			cmd.Stderr = file
		}
	}
	s.happened = func(ended) bool {
		text, err := os.ReadFile(path)
		return err != nil || !strings.HasPrefix(string(text), token)
	}
	return s
}

// socketAsInput is a scene in which standard input is a connection to a server
// outside.
func socketAsInput(t *testing.T, who account, how string) *scene {
	t.Helper()
	s := canaryOutside(t, who, how)
	s.prepare = func(cmd *exec.Cmd) {
		conn, err := net.Dial("tcp", net.JoinHostPort(outside, "80"))
		if err != nil {
			t.Fatal(err)
		}
		file, err := conn.(*net.TCPConn).File()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = file.Close()
			_ = conn.Close()
		})
		if err := unix.SetNonblock(int(file.Fd()), false); err != nil {
			t.Fatal(err)
		}
		cmd.Stdin = file
	}
	return s
}
