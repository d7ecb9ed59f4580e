package main

import (
	"math"
	"testing"
)

func TestQuantile(t *testing.T) {
	s := samples{5, 1, 4, 2, 3}
	for q, want := range map[float64]float64{0: 1, 0.5: 3, 0.99: 5, 1: 5} {
		if got := s.quantile(q); got != want {
			t.Errorf("quantile(%g) = %g, want %g", q, got, want)
		}
	}
	if !math.IsNaN(samples(nil).median()) {
		t.Error("the median of nothing is a number")
	}
}

// TestPairingRemovesDrift has a machine that slows down by a factor of ten while
// one contender always takes one unit, or a tenth, more than the other.
func TestPairingRemovesDrift(t *testing.T) {
	var base, plusOne, tenth samples
	for round := range 11 {
		machine := 10 * (1 + float64(round))
		base, plusOne, tenth = append(base, machine), append(plusOne, machine+1), append(tenth, machine*1.1)
	}
	if got := plusOne.minus(base).median(); got != 1 {
		t.Errorf("difference %g, want 1", got)
	}
	if got := tenth.over(base).median(); math.Abs(got-1.1) > 1e-9 {
		t.Errorf("ratio %g, want 1.1", got)
	}
}

func TestBudgetsJudge(t *testing.T) {
	r := newResults([]contender{{name: bare}, {name: pysandbox}, {name: bubble}})
	for range 3 {
		r.add(bare, coldStartTime, 10)
		r.add(bubble, coldStartTime, 20)
		r.add(pysandbox, coldStartTime, 18)
		r.add(bare, throughput, 100)
		r.add(pysandbox, throughput, 99)
	}
	passes := func(m metric) bool {
		list := verdicts(r, pysandbox, m)
		if len(list) != 1 {
			t.Fatalf("%s has %d verdicts, want 1", m, len(list))
		}
		return list[0].Pass
	}
	if !passes(coldStartTime) {
		t.Error("an overhead of 0.8 of bubblewrap's missed the budget of 0.85")
	}
	if !passes(throughput) {
		t.Error("0.99 of native throughput missed the budget of 0.98")
	}
	for range 9 {
		r.add(bare, coldStartTime, 10)
		r.add(bubble, coldStartTime, 20)
		r.add(pysandbox, coldStartTime, 19)
	}
	if passes(coldStartTime) {
		t.Error("an overhead of 0.9 of bubblewrap's passed the budget of 0.85")
	}
	if list := verdicts(r, pysandbox, roundTrip); len(list) != 0 {
		t.Error("a budget was judged without measurements")
	}
}
