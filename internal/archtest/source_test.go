package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// module is the path of this module; what it imports from itself starts so.
const module = "github.com/pysandbox/pysandbox"

// goFile is one parsed Go file of the repository.
type goFile struct {
	path    string // relative to the root, with slashes
	syntax  *ast.File
	imports []string
}

// room is the directory of the file, which is how the rules name packages.
func (f goFile) room() string { return path.Dir(f.path) }

func (f goFile) isTest() bool { return strings.HasSuffix(f.path, "_test.go") }

// goFiles parses every Go file of the repository.
func goFiles(t *testing.T) []goFile {
	t.Helper()
	root := repository(t)
	fset := token.NewFileSet()
	var files []goFile
	for _, name := range sources(t, ".go") {
		syntax, err := parser.ParseFile(fset, filepath.Join(root, name), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		file := goFile{path: name, syntax: syntax}
		for _, spec := range syntax.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			file.imports = append(file.imports, imported)
		}
		files = append(files, file)
	}
	return files
}

// sources lists the repository's files with one of the suffixes, relative to the
// root.
func sources(t *testing.T, suffixes ...string) []string {
	t.Helper()
	var names []string
	root := os.DirFS(repository(t))
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && isIgnored(entry.Name()):
			return fs.SkipDir
		case !entry.IsDir() && hasAnySuffix(name, suffixes):
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(names) == 0 {
		t.Fatalf("no files with suffix %v found; the rule would hold for nothing", suffixes)
	}
	return names
}

// isIgnored reports whether a directory holds no sources: what is built, test
// data, and what the go command ignores as well.
func isIgnored(dir string) bool {
	return slices.Contains([]string{".git", "bin", "testdata", "__pycache__"}, dir) || strings.HasPrefix(dir, "_")
}

func hasAnySuffix(name string, suffixes []string) bool {
	return slices.ContainsFunc(suffixes, func(suffix string) bool { return strings.HasSuffix(name, suffix) })
}

func repository(t *testing.T) string {
	t.Helper()
	root, err := testenv.RepositoryRoot()
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(repository(t), name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
