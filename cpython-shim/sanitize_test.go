package shim

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// The stage reads a plan in C. Here that reader runs on damaged plans under
// sanitizers, which end the process at the first byte read out of bounds.
func TestPlanReaderUnderSanitizers(t *testing.T) {
	program := filepath.Join(t.TempDir(), "plan_test")
	build := exec.Command("cc", "-std=gnu11", "-D_GNU_SOURCE", "-O1", "-g", "-Wall", "-Wextra",
		"-Werror", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-o", program,
		"testdata/plan_test.c", "plan.c", "text.c")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
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
