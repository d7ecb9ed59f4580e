// Package python holds the Python code that runs inside a sandbox beside the
// program: the bootstrap, and the package pysandbox_guest.
package python

import (
	"embed"
	"io/fs"
)

//go:embed boot.py pysandbox_guest/*.py pysandbox_guest/_*.py
var guest embed.FS

// File is one source file, by its path below the directory of the bootstrap.
type File struct {
	Path    string
	Content []byte
}

// Boot is the path of the file that the interpreter is started with.
const Boot = "boot.py"

// Files returns the guest's files in the order of their paths.
func Files() ([]File, error) {
	var files []File
	err := fs.WalkDir(guest, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := guest.ReadFile(path)
		files = append(files, File{path, content})
		return err
	})
	return files, err
}
