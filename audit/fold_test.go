package audit

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
)

func deny(operation, target string) Record {
	return Record{
		Source: SourceKernel, Verdict: Deny, Operation: operation, Target: target,
		Rule: "network.default", Errno: "EACCES", Hint: "--allow-net=" + target,
	}
}

func TestFoldCountsKinds(t *testing.T) {
	var f Fold
	for range 3 {
		f.Record(deny("connect", "tcp://203.0.113.9:443"))
	}
	f.Record(deny("bind", "tcp://203.0.113.9:443"))
	f.Record(Record{Verdict: Allow, Operation: "connect", Target: "tcp://203.0.113.9:80"})
	got, dropped := f.Violations()
	if len(got) != 2 || dropped != 0 {
		t.Fatalf("got %d kinds and %d dropped, want 2 and 0", len(got), dropped)
	}
	want := Violation{
		Operation: "connect", Target: "tcp://203.0.113.9:443", Rule: "network.default",
		Errno: "EACCES", Hint: "--allow-net=tcp://203.0.113.9:443", Count: 3,
	}
	if got[0] != want {
		t.Errorf("got %+v, want %+v", got[0], want)
	}
	if got[1].Operation != "bind" || got[1].Count != 1 {
		t.Errorf("second kind: %+v", got[1])
	}
}

func TestFoldZeroVerdictIsADenial(t *testing.T) {
	var f Fold
	f.Record(Record{Operation: "connect"})
	if got, _ := f.Violations(); len(got) != 1 {
		t.Errorf("a record without a verdict vanished: %v", got)
	}
}

func TestFoldBounds(t *testing.T) {
	var f Fold
	long := strings.Repeat("a", 8<<10)
	for i := range MaxViolations + 50 {
		f.Record(deny("connect", fmt.Sprintf("%d%s", i, long)))
	}
	f.Record(deny("connect", "0"+long)) // known: counted, not dropped
	got, dropped := f.Violations()
	if len(got) != MaxViolations || dropped != 50 {
		t.Errorf("got %d kinds and %d dropped, want %d and 50", len(got), dropped, MaxViolations)
	}
	if got[0].Count != 2 {
		t.Errorf("a known kind counted %d times, want 2", got[0].Count)
	}
	for _, d := range got {
		if len(d.Target) > maxFolded+len("…") {
			t.Fatalf("target of %d bytes kept", len(d.Target))
		}
	}
}

func TestFoldGuestExplains(t *testing.T) {
	var f Fold
	guest := Record{Source: SourceGuest, Verdict: Deny, Operation: "connect", Target: "tcp://203.0.113.9:443", Where: "job.py:12"}
	f.Record(guest)
	f.Record(deny("connect", "tcp://203.0.113.9:443"))
	f.Record(Record{Source: SourceGuest, Verdict: Deny, Operation: "import", Target: "ctypes", Rule: "python.modules"})
	got, _ := f.Violations()
	if len(got) != 2 {
		t.Fatalf("got %+v, want the kernel's denial and the import", got)
	}
	if got[0].Operation != "connect" || got[0].Rule != "network.default" || got[0].Where != "job.py:12" || got[0].Source != SourceGuest {
		t.Errorf("kernel's denial with the guest's place: %+v", got[0])
	}
	if got[1].Operation != "import" || got[1].Source != SourceGuest {
		t.Errorf("guest's own denial: %+v", got[1])
	}
}

func TestTeeAndFoldConcurrently(t *testing.T) {
	var a, b Fold
	tee := Tee{&a, &b}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 1000 {
				tee.Record(deny("connect", "x"))
			}
		})
	}
	group.Wait()
	for _, f := range []*Fold{&a, &b} {
		if got, _ := f.Violations(); len(got) != 1 || got[0].Count != 4000 {
			t.Errorf("got %+v, want one kind counted 4000 times", got)
		}
	}
}

func TestNotesOfTheGuestLeaveRoomForTheKernel(t *testing.T) {
	var f Fold
	for i := range 5000 {
		f.Record(Record{Source: SourceGuest, Verdict: Deny, Operation: "import", Target: strconv.Itoa(i)})
	}
	f.Record(Record{Source: SourceKernel, Verdict: Deny, Operation: "connect", Target: "tcp://192.0.2.1:1"})
	got, dropped := f.Violations()
	if len(got) != MaxGuestViolations+1 || dropped != 5000-MaxGuestViolations {
		t.Errorf("%d kinds, %d dropped", len(got), dropped)
	}
	if got[0].Operation != "connect" { // which a terminal shows, however much the guest invents
		t.Errorf("the first is %+v", got[0])
	}
	if got[1].Target != "0" || got[2].Target != "1" {
		t.Errorf("then come %q and %q", got[1].Target, got[2].Target)
	}
}
