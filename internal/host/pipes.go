package host

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"
)

// FindPipes looks for a named pipe at each path, or right in it if it is a directory.
// The result has those paths that have one, with the pipe's own path.
func FindPipes(paths []string) map[string]string {
	found := make(map[string]string)
	for _, path := range paths {
		if pipe := findPipe(path); pipe != "" {
			found[path] = pipe
		}
	}
	return found
}

func findPipe(path string) string {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "" // what cannot be looked at is refused elsewhere
	case info.Mode()&fs.ModeNamedPipe != 0:
		return path
	case !info.IsDir():
		return ""
	}
	dir, err := os.OpenFile(path, os.O_RDONLY|unix.O_DIRECTORY, 0) // a pipe put in its place would wait
	if err != nil {
		return ""
	}
	defer dir.Close()
	for {
		entries, err := dir.ReadDir(1024)
		i := slices.IndexFunc(entries, func(entry fs.DirEntry) bool { return entry.Type() == fs.ModeNamedPipe })
		if i >= 0 {
			return filepath.Join(path, entries[i].Name())
		}
		if err != nil {
			return ""
		}
	}
}
