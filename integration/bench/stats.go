package main

import (
	"math"
	"slices"
)

// samples are measurements of one kind, in one unit.
type samples []float64

// quantile returns the q-quantile (0 to 1), by the nearest rank. It is NaN for
// no samples, which no budget passes.
func (s samples) quantile(q float64) float64 {
	if len(s) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(s))
	return sorted[int(math.Round(q*float64(len(sorted)-1)))]
}

func (s samples) median() float64 { return s.quantile(0.5) }

// minus returns the differences of samples that were taken in the same rounds,
// which drift of the machine touches less than the samples themselves.
func (s samples) minus(other samples) samples {
	n := min(len(s), len(other))
	difference := make(samples, n)
	for i := range n {
		difference[i] = s[i] - other[i]
	}
	return difference
}

// over returns the ratios of samples that were taken in the same rounds.
func (s samples) over(other samples) samples {
	n := min(len(s), len(other))
	ratio := make(samples, n)
	for i := range n {
		ratio[i] = s[i] / other[i]
	}
	return ratio
}
