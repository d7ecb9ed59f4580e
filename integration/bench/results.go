package main

// metric names one thing that is measured. Its unit stands in metrics.
type metric string

// The metrics. Those of workload.py and client.py have the names that these know.
const (
	coldStartTime metric = "cold_start"
	untrapped     metric = "untrapped_call"
	trapped       metric = "trapped_call"
	denied        metric = "denied_connect"
	allowed       metric = "allowed_connect"
	crowded       metric = "crowded_connect"
	loopback      metric = "loopback_connect"
	inFlight      metric = "in_flight"
	stalled       metric = "stalled_connect"
	lookup        metric = "name_lookup"
	roundTrip     metric = "round_trip"
	throughput    metric = "throughput"
	datagram      metric = "datagram_round_trip"
	computation   metric = "computation"
	memoryPID1    metric = "memory_pid1"
	memoryParent  metric = "memory_supervisor"
	bootstrap     metric = "guest_bootstrap"
	evalFresh     metric = "eval_fresh"

	evalImported   metric = "eval_imported"
	evalLive       metric = "eval_live"
	capabilityCall metric = "capability_call"
	capabilityBulk metric = "capability_mebibyte"
)

// unit is how samples of a metric are shown: their unit and what it is worth in
// the unit of the samples (nanoseconds, bytes, or bits per second).
type unit struct {
	name  string
	scale float64
}

// metricInfo describes a metric in the table.
type metricInfo struct {
	metric metric
	title  string
	unit   unit
	slow   bool // one answer takes long, so it is asked for twice a run
}

// metricTable lists the metrics in the order of the printed table.
func metricTable() []metricInfo {
	micro, milli, nano := unit{"µs", 1e3}, unit{"ms", 1e6}, unit{"ns", 1}
	return []metricInfo{
		{metric: coldStartTime, title: "cold start, python3 -I -S -c pass", unit: milli},
		{metric: untrapped, title: "untrapped call, os.getppid", unit: nano},
		{metric: trapped, title: "trapped call, getsockopt(SO_ERROR)", unit: micro},
		{metric: denied, title: "denied connect", unit: micro},
		{metric: allowed, title: "allowed TCP connect", unit: micro},
		{metric: crowded, title: "the same, with 600 open descriptors", unit: micro},
		{metric: loopback, title: "loopback bind, listen and connect", unit: micro},
		{metric: inFlight, title: "5000 connects in flight, asyncio", unit: milli, slow: true},
		{metric: lookup, title: "name lookup, cached", unit: micro},
		{metric: roundTrip, title: "64-byte round trip after connect", unit: micro},
		{metric: throughput, title: "throughput after connect", unit: unit{"Gbit/s", 1e9}},
		{metric: datagram, title: "64-byte round trip of datagrams", unit: micro},
		{metric: computation, title: "computation, 20 ms of pure Python", unit: milli},
		{metric: stalled, title: "denied connect beside 50 that stall", unit: micro},
		{metric: memoryPID1, title: "private memory of PID 1", unit: unit{"KiB", 1 << 10}},
		{metric: memoryParent, title: "private memory of the parent", unit: unit{"KiB", 1 << 10}},
		{metric: bootstrap, title: "guest's bootstrap, over plain exec", unit: milli},
		{metric: evalFresh, title: "first eval of a new host process", unit: milli},
		{metric: evalImported, title: "first eval of a sandbox in a running host", unit: milli},
		{metric: evalLive, title: "next eval of a live sandbox", unit: milli},
		{metric: capabilityCall, title: "call of a capability, both ends in Python", unit: micro},
		{metric: capabilityBulk, title: "1 MiB to a capability", unit: milli},
	}
}

// results holds the samples of every contender.
type results struct {
	field   []contender
	samples map[string]map[metric]samples
	rounds  map[string]map[metric]samples // one median for each round
}

func newResults(field []contender) *results {
	r := &results{field: field, samples: make(map[string]map[metric]samples), rounds: make(map[string]map[metric]samples)}
	for _, contender := range field {
		r.samples[contender.name] = make(map[metric]samples)
		r.rounds[contender.name] = make(map[metric]samples)
	}
	return r
}

// add records the samples of one round.
func (r *results) add(contender string, m metric, values ...float64) {
	r.samples[contender][m] = append(r.samples[contender][m], values...)
	r.rounds[contender][m] = append(r.rounds[contender][m], samples(values).median())
}
