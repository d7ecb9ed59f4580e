package capability

import (
	"testing"
	"time"
)

// A frame comes 100 µs after the last one, again and again.
func TestLookingOutHasAShare(t *testing.T) {
	const every = 100 * time.Microsecond
	now := time.Unix(1, 0)
	w := waiting{relay: &Relay{talks: true}, soon: [2]bool{true, true}}
	looked := func(during time.Duration) (share float64) {
		waits, looks := 0, 0
		for end := now.Add(during); now.Before(end); waits++ {
			w.since, w.looks = now, w.mayLook(now)
			if w.looks {
				looks++
			}
			now = now.Add(every)
			w.over(now)
		}
		return float64(looks) / float64(waits)
	}
	if got := looked(time.Second); got != 1 {
		t.Errorf("of the first second it looks out for %.0f %%", 100*got)
	}
	looked(time.Second)
	if got := looked(10 * time.Second); got < 0.2 || got > 0.3 {
		t.Errorf("in the long run it looks out for %.0f %%", 100*got)
	}
	now = now.Add(lookShare * lookMost)
	if got := looked(time.Second); got != 1 {
		t.Errorf("after a rest it looks out for %.0f %%", 100*got)
	}
}
