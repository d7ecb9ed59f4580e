package archtest

import (
	"go/ast"
	"strings"
	"testing"
)

// maxLines is the length at which a file holds more than one concept.
const maxLines = 400

func TestFilesAreShort(t *testing.T) {
	for _, name := range sources(t, ".go", ".c", ".h", ".py") {
		if lines := strings.Count(readFile(t, name), "\n"); lines > maxLines && !isTestSource(name) {
			t.Errorf("%s has %d lines; a file holds one concept in at most %d", name, lines, maxLines)
		}
	}
}

func isTestSource(name string) bool {
	return strings.HasSuffix(name, "_test.go") || strings.Contains("/"+name, "/test")
}

func TestEveryPackageHasOneDoc(t *testing.T) {
	docs := make(map[string][]string)
	for _, file := range goFiles(t) {
		if file.isTest() {
			continue
		}
		docs[file.room()] = append(docs[file.room()], documented(file)...)
	}
	for room, files := range docs {
		if len(files) != 1 {
			t.Errorf("package %s is documented in %v; exactly one file says what it does and what it must not do", room, files)
		}
	}
}

// documented returns the file's path if it carries the package's doc.
func documented(file goFile) []string {
	if !isPackageDoc(file.syntax) {
		return nil
	}
	return []string{file.path}
}

func isPackageDoc(syntax *ast.File) bool {
	return syntax.Doc != nil && strings.TrimSpace(syntax.Doc.Text()) != ""
}
