package container

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

const image = "sandboxed"

// said is what the program of the image prints in a sandbox.
const said = "process 2 of user 1000\nsees app.py policy.toml\n"

// TestDocker runs the example image as its documentation says, and with less.
func TestDocker(t *testing.T) {
	testenv.Need(t, testenv.Docker, testenv.UserNS, testenv.Landlock, testenv.Notify, testenv.DebianPython)
	engine := testenv.StartDocker(t)
	importImage(t, engine)
	options := documentedOptions(t)
	const filter, paths = "--security-opt=seccomp=unconfined", "--security-opt=systempaths=unconfined"
	for name, c := range map[string]struct {
		flags  []string
		advice string // what exec and doctor say to do; empty: the program runs
	}{
		"as documented":               {flags: options},
		"as user 1000":                {flags: append([]string{"--user=1000"}, options...)},
		"with no capability":          {flags: append([]string{"--cap-drop=ALL", "--read-only"}, options...)},
		"with new privileges refused": {flags: append([]string{"--security-opt=no-new-privileges"}, options...)},
		"by Docker's defaults":        {nil, "--security-opt seccomp=unconfined"},
		"as user 1000 by defaults":    {[]string{"--user=1000"}, "--security-opt seccomp=unconfined"},
		"with the paths alone":        {[]string{paths}, "--security-opt seccomp=unconfined"},
		"with the filter alone":       {[]string{filter}, "--security-opt systempaths=unconfined"},
		"with capabilities instead":   {[]string{"--cap-add=SYS_ADMIN", "--cap-add=SYS_PTRACE", paths}, "--security-opt seccomp=unconfined"},
		"as root":                     {append([]string{"--user=0"}, options...), "docker run --user 1000"},
	} {
		t.Run(name, func(t *testing.T) {
			output, status := dockerRun(t, engine, c.flags)
			advice, advised := dockerRun(t, engine, append([]string{"--entrypoint=pysandbox"}, c.flags...), "doctor")
			if c.advice == "" {
				if status != 0 || output != said || advised != 0 {
					t.Errorf("status %d\n%s\nwant\n%s\ndoctor ends with %d:\n%s", status, output, said, advised, advice)
				}
				return
			}
			if status != 125 || !strings.Contains(output, c.advice) || strings.Contains(output, "process 2") {
				t.Errorf("status %d, want 125 and %q:\n%s", status, c.advice, output)
			}
			if advised != 1 || !strings.Contains(advice, c.advice) {
				t.Errorf("doctor ends with %d, want 1 and %q:\n%s", advised, c.advice, advice)
			}
			if !strings.Contains(advice, "docker run --memory") {
				t.Errorf("doctor does not say how a container is limited:\n%s", advice)
			}
		})
	}
}

// dockerRun runs the image and returns what it wrote and its exit status.
func dockerRun(t *testing.T, engine *testenv.DockerEngine, flags []string, args ...string) (string, int) {
	t.Helper()
	line := append([]string{"run", "--rm", "--network=none", "--volume=/usr:/usr:ro"}, flags...)
	output, err := engine.Command(append(append(line, image), args...)...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if exit != nil {
		return string(output), exit.ExitCode()
	}
	return string(output), 0
}

// documentedOptions are those of the README's docker run.
func documentedOptions(t *testing.T) []string {
	t.Helper()
	var options []string
	for _, match := range regexp.MustCompile(`--security-opt (\S+)`).FindAllStringSubmatch(readFile(t, "README.md"), -1) {
		options = append(options, "--security-opt="+match[1])
	}
	if len(options) == 0 {
		t.Fatal("README.md names no options for docker run")
	}
	return options
}

// importImage makes an image with the settings of the Dockerfile. What Debian's
// image has is this machine's: /usr, which is a volume of the container.
func importImage(t *testing.T, engine *testenv.DockerEngine) {
	t.Helper()
	args := []string{"import", "--change", "ENV PATH=/opt:/usr/bin"}
	for _, line := range regexp.MustCompile(`(?m)^(USER|ENTRYPOINT|CMD) .*$`).FindAllString(readFile(t, "examples/container/Dockerfile"), -1) {
		args = append(args, "--change", line)
	}
	cmd := engine.Command(append(args, "-", image)...)
	cmd.Stdin = bytes.NewReader(imageFiles(t))
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("import the image: %v\n%s", err, output)
	}
}

func imageFiles(t *testing.T) []byte {
	t.Helper()
	rootfs := t.TempDir()
	fillRoot(t, rootfs)
	for _, dir := range []string{"usr", "etc", "tmp", "proc", "sys", "dev"} {
		if err := os.Mkdir(filepath.Join(rootfs, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"bin", "sbin", "lib", "lib64"} {
		if err := os.Symlink("usr/"+name, filepath.Join(rootfs, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"etc/passwd", "etc/group", "etc/ld.so.cache"} {
		content, err := os.ReadFile("/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(rootfs, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	archive, err := pack(rootfs)
	if err != nil {
		t.Fatalf("pack the image: %v", err)
	}
	return archive
}

// pack makes an archive of dir in which everything belongs to root.
func pack(dir string) ([]byte, error) {
	var buffer bytes.Buffer
	archive := tar.NewWriter(&buffer)
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return packOne(archive, dir, path, entry)
	})
	return buffer.Bytes(), errors.Join(err, archive.Close())
}

func packOne(archive *tar.Writer, dir, path string, entry fs.DirEntry) error {
	info, err := entry.Info()
	if err != nil {
		return err
	}
	name, err := filepath.Rel(dir, path)
	if err != nil {
		return err
	}
	target := ""
	if entry.Type() == fs.ModeSymlink {
		if target, err = os.Readlink(path); err != nil {
			return err
		}
	}
	header, err := tar.FileInfoHeader(info, target)
	if err != nil {
		return err
	}
	header.Name, header.Uid, header.Gid = name, 0, 0
	if name == "." {
		header.Mode = 0o755
	}
	if err := archive.WriteHeader(header); err != nil || !entry.Type().IsRegular() {
		return err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if _, err := archive.Write(content); err != nil {
		return fmt.Errorf("pack %s: %w", name, err)
	}
	return nil
}

// readFile reads a file of the repository.
func readFile(t *testing.T, name string) string {
	t.Helper()
	repository, err := testenv.RepositoryRoot()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(repository, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
