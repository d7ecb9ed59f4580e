package network

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// policyFile writes a policy that every user can read.
func policyFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(testenv.WorldDir(t), "policy.toml")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}
