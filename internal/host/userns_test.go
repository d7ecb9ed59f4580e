package host

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/sys/unix"
)

func TestUserNSFailuresNameCauseAndFix(t *testing.T) {
	for name, c := range map[string]struct {
		errno      unix.Errno
		files      map[string]string
		need, fix  string
		noFix      bool
		notMention string
	}{
		"Debian's switch": {
			errno: unix.EPERM, files: map[string]string{"proc/sys/kernel/unprivileged_userns_clone": "0\n"},
			need: "kernel.unprivileged_userns_clone is 0", fix: "kernel.unprivileged_userns_clone=1",
		},
		"Ubuntu's AppArmor": {
			errno: unix.EACCES, files: map[string]string{"proc/sys/kernel/unprivileged_userns_clone": "1\n", "proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1\n"},
			need: "AppArmor", fix: "echo 'profile pysandbox \"/usr/local/bin/pysandbox\" flags=(unconfined) {'; echo '  userns,'",
		},
		"forbidden by number": {
			errno: unix.ENOSPC, files: map[string]string{"proc/sys/user/max_user_namespaces": "0\n", "proc/sys/user/max_mnt_namespaces": "0\n"},
			need: "user.max_user_namespaces is 0", fix: "user.max_user_namespaces=15000",
		},
		"another kind forbidden": {
			errno: unix.ENOSPC, files: map[string]string{"proc/sys/user/max_user_namespaces": "95000\n", "proc/sys/user/max_net_namespaces": "0\n"},
			need: "user.max_net_namespaces is 0", fix: "user.max_net_namespaces=15000",
		},
		"a container": {
			errno: unix.EPERM, files: map[string]string{"proc/self/status": "Name:\tx\nSeccomp:\t2\nSeccomp_filters:\t1\n"},
			need: "seccomp filter above", fix: "--security-opt seccomp=unconfined",
		},
		"a container's clone3": {
			errno: unix.ENOSYS, files: map[string]string{"proc/self/status": "Name:\tx\nSeccomp:\t2\nSeccomp_filters:\t1\n"},
			need: "seccomp filter above", fix: "--security-opt seccomp=unconfined",
		},
		"no clone3": {errno: unix.ENOSYS, need: "built without", fix: "CONFIG_USER_NS"},
		"SELinux": {
			errno: unix.EACCES, files: map[string]string{"sys/fs/selinux/enforce": "1"},
			need: "security module", fix: "ausearch",
		},
		"too many processes": {errno: unix.EAGAIN, need: "processes", fix: "ulimit -u"},
		"not built":          {errno: unix.EINVAL, need: "built without", fix: "CONFIG_USER_NS"},
		"/proc read-only":    {errno: unix.EROFS, need: "/proc", fix: "systempaths=unconfined"},
		"no known cause":     {errno: unix.EPERM, need: "kernel or a security module", noFix: true, notMention: "sysctl"},
		"not restricted": {
			errno: unix.EPERM, files: map[string]string{"proc/sys/kernel/apparmor_restrict_unprivileged_userns": "0\n"},
			need: "kernel or a security module", noFix: true, notMention: "AppArmor",
		},
	} {
		t.Run(name, func(t *testing.T) {
			files := make(fstest.MapFS)
			for path, text := range c.files {
				files[path] = &fstest.MapFile{Data: []byte(text)}
			}
			err := classifyUserNS(settings{files}, c.errno, "/usr/local/bin/pysandbox")
			if !strings.Contains(err.Need, c.need) || !strings.Contains(err.Fix, c.fix) || c.noFix != (err.Fix == "") {
				t.Errorf("need %q, fix %q", err.Need, err.Fix)
			}
			if c.notMention != "" && strings.Contains(err.Error(), c.notMention) {
				t.Errorf("mentions %s: %v", c.notMention, err)
			}
			if !errors.Is(err, ErrUnsupported) || !errors.Is(err, c.errno) {
				t.Errorf("%v is not ErrUnsupported by %v", err, c.errno)
			}
		})
	}
}

// TestAppArmorFixWritesTheProfile runs the command with stand-ins for what only
// root and AppArmor can do.
func TestAppArmorFixWritesTheProfile(t *testing.T) {
	dir := t.TempDir()
	written := filepath.Join(dir, "profile")
	script := "sudo() { case $1 in tee) cat >" + written + ";; apparmor_parser) echo loaded $3;; esac; }\n" + appArmorFix("/opt/it's here/pysandbox")
	output, err := exec.Command("sh", "-ec", script).CombinedOutput()
	if err != nil || string(output) != "loaded /etc/apparmor.d/pysandbox\n" {
		t.Errorf("the command: %v\n%s", err, output)
	}
	profile, err := os.ReadFile(written)
	const want = "abi <abi/4.0>,\ninclude <tunables/global>\nprofile pysandbox \"/opt/it's here/pysandbox\" flags=(unconfined) {\n" +
		"  userns,\n  include if exists <local/pysandbox>\n}\n"
	if err != nil || string(profile) != want {
		t.Errorf("the profile (%v):\n%s", err, profile)
	}
}

func TestAppArmorProfileQuotesThePath(t *testing.T) {
	if got := appArmorPath(`/opt/a b/{x}*"y`); got != `"/opt/a b/\{x\}\*\"y"` {
		t.Errorf("got %s", got)
	}
}

func TestLandlockFailuresNameCauseAndFix(t *testing.T) {
	newer, older := parseKernel("6.1.0-18-amd64"), parseKernel("5.10.0-28-amd64")
	for _, c := range []struct {
		kernel Kernel
		errno  unix.Errno
		word   string
	}{
		{newer, unix.EOPNOTSUPP, "lsm="},
		{newer, unix.ENOSYS, "CONFIG_SECURITY_LANDLOCK"},
		{older, unix.ENOSYS, "Linux 5.13"},
		{newer, unix.EPERM, "seccomp=unconfined"},
	} {
		if err := noLandlock(c.kernel, c.errno); !strings.Contains(err.Error(), c.word) {
			t.Errorf("%v on %s: %v", c.errno, c.kernel, err)
		}
	}
}

func TestKernelReleases(t *testing.T) {
	for release, want := range map[string]bool{
		"5.13.0": true, "5.14.0-1-amd64": false, "6.1": false, "4.19.0": true, "5.9-rc1": true, "10.0": false, "": true,
	} {
		if got := parseKernel(release).Before(notifySince); got != want {
			t.Errorf("%q is older than %s: %v", release, notifySince, got)
		}
	}
	if got := readKernel(); got.Major < 4 {
		t.Errorf("this kernel is %+v", got)
	}
}
