package main

// budget is a promise of the project: a value made of the results, and its
// bound. It is judged only where everything that it compares was measured.
type budget struct {
	contender string
	metric    metric
	text      string
	value     func(*results) float64
	most      float64 // the value may be at most this
	least     float64 // or, if not 0, must be at least this
}

func (b budget) holds(value float64) bool {
	if b.least != 0 {
		return value >= b.least
	}
	return value <= b.most
}

// budgets lists what the project promises, in the units of the samples.
func budgets() []budget {
	const microsecond, millisecond, kibibyte = 1e3, 1e6, 1 << 10
	return []budget{
		{
			contender: pysandbox, metric: coldStartTime, text: "overhead ≤ 0.85 × bubblewrap's", most: 0.85,
			value: func(r *results) float64 {
				return r.extra(coldStartTime, pysandbox, bare) / r.extra(coldStartTime, bubble, bare)
			},
		},
		{
			contender: cgroup, metric: coldStartTime, text: "cgroup adds ≤ 0.4 ms", most: 400 * microsecond,
			value: func(r *results) float64 { return r.extra(coldStartTime, cgroup, pysandbox) },
		},
		overBare(untrapped, "≤ 60 ns over bare", 60),
		overBare(trapped, "≤ 10 µs over bare", 10*microsecond),
		{
			contender: pysandbox, metric: denied, text: "p50 ≤ 15 µs", most: 15 * microsecond,
			value: func(r *results) float64 { return r.samples[pysandbox][denied].median() },
		},
		overBare(allowed, "p50 ≤ 70 µs over bare", 70*microsecond),
		{
			contender: pysandbox, metric: allowed, text: "p99 ≤ 250 µs", most: 250 * microsecond,
			value: func(r *results) float64 { return r.samples[pysandbox][allowed].quantile(0.99) },
		},
		overBare(crowded, "p50 ≤ 70 µs over bare", 70*microsecond),
		{
			contender: pysandbox, metric: inFlight, text: "≤ 1.5 × bare", most: 1.5,
			value: func(r *results) float64 { return r.ratio(inFlight) },
		},
		{
			contender: pysandbox, metric: stalled, text: "p99 ≤ 5 ms", most: 5000 * microsecond,
			value: func(r *results) float64 { return r.samples[pysandbox][stalled].quantile(0.99) },
		},
		overBare(loopback, "≤ 3 × 30 µs over bare", 90*microsecond),
		{
			contender: pysandbox, metric: lookup, text: "p50 ≤ 100 µs", most: 100 * microsecond,
			value: func(r *results) float64 { return r.samples[pysandbox][lookup].median() },
		},
		{
			contender: pysandbox, metric: roundTrip, text: "≤ 1.05 × bare", most: 1.05,
			value: func(r *results) float64 { return r.ratio(roundTrip) },
		},
		{
			contender: pysandbox, metric: throughput, text: "≥ 0.98 × bare", least: 0.98,
			value: func(r *results) float64 { return r.ratio(throughput) },
		},
		{
			// Samples are times, so 0.99 of bare's speed is 1/0.99 of its time.
			contender: pysandbox, metric: computation, text: "speed ≥ 0.99 × bare", least: 0.99,
			value: func(r *results) float64 { return 1 / r.ratio(computation) },
		},
		{
			contender: pysandbox, metric: memoryPID1, text: "≤ 128 KiB", most: 128 * kibibyte,
			value: func(r *results) float64 { return r.samples[pysandbox][memoryPID1].median() },
		},
		{
			contender: pysandbox, metric: memoryParent, text: "≤ 8 MiB", most: 8192 * kibibyte,
			value: func(r *results) float64 { return r.samples[pysandbox][memoryParent].median() },
		},
		ownMedian(bootstrap, "≤ 3 ms", 3*millisecond),
		overBare(evalFresh, "≤ 25 ms over bare", 25*millisecond),
		{
			// Its rounds are those of another process than bare's.
			contender: pysandbox, metric: evalImported, text: "≤ 25 ms over bare", most: 25 * millisecond,
			value: func(r *results) float64 {
				return r.samples[pysandbox][evalImported].median() - r.samples[bare][evalImported].median()
			},
		},
		ownMedian(evalLive, "p50 ≤ 1 ms", millisecond),
		ownMedian(capabilityCall, "p50 ≤ 120 µs", 120*microsecond),
		ownMedian(capabilityBulk, "p50 ≤ 3 ms", 3*millisecond),
	}
}

func ownMedian(m metric, text string, most float64) budget {
	return budget{
		contender: pysandbox, metric: m, text: text, most: most,
		value: func(r *results) float64 { return r.samples[pysandbox][m].median() },
	}
}

func overBare(m metric, text string, most float64) budget {
	return budget{
		contender: pysandbox, metric: m, text: text, most: most,
		value: func(r *results) float64 { return r.extra(m, pysandbox, bare) },
	}
}

// extra is the median, over rounds, of what one contender takes beyond another.
func (r *results) extra(m metric, contender, base string) float64 {
	return r.rounds[contender][m].minus(r.rounds[base][m]).median()
}

// ratio is the median, over rounds, of pysandbox's value over bare's.
func (r *results) ratio(m metric) float64 {
	return r.rounds[pysandbox][m].over(r.rounds[bare][m]).median()
}
