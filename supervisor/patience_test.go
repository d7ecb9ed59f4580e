package supervisor

import (
	"testing"
	"time"
)

// patience is how long a busy machine may take for what must happen at some time.
const patience = time.Minute

// until waits for done, patience at most, and reports whether it was.
func until(done func() bool) bool {
	for end := time.Now().Add(patience); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

// inTime repeats a try that a busy machine may make late, until one is in time.
func inTime(t *testing.T, try func() (late string)) {
	t.Helper()
	end := time.Now().Add(2 * patience)
	for tries := 1; ; tries++ {
		late := try()
		switch {
		case late == "" || t.Failed():
			return
		case tries >= 20 || tries >= 3 && time.Now().After(end):
			t.Fatal(late)
		}
	}
}
