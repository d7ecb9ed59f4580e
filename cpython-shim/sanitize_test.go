package shim

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// sanitized builds a program of C files under sanitizers, which end the process at the
// first byte read out of bounds.
func sanitized(t *testing.T, files ...string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "program")
	flags := []string{
		"-std=gnu11", "-D_GNU_SOURCE", "-O1", "-g", "-Wall", "-Wextra", "-Werror",
		"-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-o", program,
	}
	if out, err := exec.Command("cc", append(flags, files...)...).CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return program
}

// The stage reads a plan in C. Here that reader runs on damaged plans.
func TestPlanReaderUnderSanitizers(t *testing.T) {
	program := sanitized(t, "testdata/plan_test.c", "plan.c", "text.c")
	tries := "300000"
	if testing.Short() {
		tries = "50000"
	}
	out, err := exec.Command(program, tries).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// The numbers of a sysctl that are higher than ours are lowered, and no other.
func TestLowerNumbersStay(t *testing.T) {
	if out, err := exec.Command(sanitized(t, "testdata/text_test.c", "text.c")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
