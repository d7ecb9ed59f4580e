package testenv

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// staleAfter is how long a built binary stays in the cache unused.
const staleAfter = 24 * time.Hour

// Binary returns the path of the static pysandbox binary, built from this
// checkout by scripts/build at most once per test process. Every user can reach
// and run it. Test processes share builds: the path names the content.
func Binary(tb testing.TB) string {
	tb.Helper()
	path, err := builtBinary()
	if err != nil {
		tb.Fatalf("testenv: %v", err)
	}
	return path
}

var builtBinary = sync.OnceValues(buildBinary)

func buildBinary() (string, error) {
	root, err := RepositoryRoot()
	if err != nil {
		return "", err
	}
	if err := dependOnSources(root); err != nil {
		return "", err
	}
	cache, err := openCache()
	if err != nil {
		return "", err
	}
	unlock, err := lock(filepath.Join(cache, "lock"))
	if err != nil {
		return "", err
	}
	defer unlock()

	fresh := filepath.Join(cache, "build", "pysandbox")
	cmd := exec.Command(filepath.Join(root, "scripts/build"), fresh)
	cmd.Dir = root
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the binary: %w\n%s", err, output)
	}
	removeStale(cache)
	return publish(fresh, cache)
}

// dependOnSources reads every directory of the checkout, so that go test, which
// notes what a test opens, does not take an old result for that of a new binary.
func dependOnSources(root string) error {
	return filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.IsDir() && entry.Name() == ".git" {
			return filepath.SkipDir
		}
		return err
	})
}

// RepositoryRoot returns the directory that holds go.mod, searched upwards from
// the working directory, which in a test is the package's own.
func RepositoryRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod at or above the working directory")
		}
		dir = parent
	}
}

// openCache makes the directory of built binaries. Its name is predictable and
// its parent is shared, so a directory that another user made is refused.
func openCache() (string, error) {
	cache := filepath.Join(os.TempDir(), fmt.Sprintf("pysandbox-binaries-%d", os.Getuid()))
	if err := os.MkdirAll(filepath.Join(cache, "build"), 0o755); err != nil {
		return "", err
	}
	info, err := os.Lstat(cache)
	if err != nil {
		return "", err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.IsDir() || int(stat.Uid) != os.Getuid() || info.Mode().Perm()&0o022 != 0 {
		return "", fmt.Errorf("%s is not a directory that only this user writes; remove it", cache)
	}
	return cache, nil
}

// lock takes an exclusive lock that the kernel releases when the process ends.
func lock(path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), file.Close())
	}
	return func() { _ = file.Close() }, nil
}

// publish links the built file under a name made of its content, so that a later
// build never changes a binary that a running test uses.
func publish(built, cache string) (string, error) {
	digest, err := fileDigest(built)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, digest)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	path := filepath.Join(dir, "pysandbox")
	if err := os.Link(built, path); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	now := time.Now()
	return path, os.Chtimes(dir, now, now)
}

func fileDigest(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil))[:16], nil
}

// removeStale removes binaries that no test process has asked for lately. A
// directory that cannot be removed costs only space.
func removeStale(cache string) {
	entries, err := os.ReadDir(cache)
	if err != nil {
		return
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err == nil && entry.IsDir() && entry.Name() != "build" && time.Since(info.ModTime()) > staleAfter {
			_ = os.RemoveAll(filepath.Join(cache, entry.Name()))
		}
	}
}
