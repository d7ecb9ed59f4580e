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
	lookup        metric = "name_lookup"
	roundTrip     metric = "round_trip"
	throughput    metric = "throughput"
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
}

// metricTable lists the metrics in the order of the printed table.
func metricTable() []metricInfo {
	micro, milli, nano := unit{"µs", 1e3}, unit{"ms", 1e6}, unit{"ns", 1}
	return []metricInfo{
		{coldStartTime, "cold start, python3 -I -S -c pass", milli},
		{untrapped, "untrapped call, os.getppid", nano},
		{trapped, "trapped call, getsockopt(SO_ERROR)", micro},
		{denied, "denied connect", micro},
		{allowed, "allowed TCP connect", micro},
		{crowded, "the same, with 600 open descriptors", micro},
		{loopback, "loopback bind, listen and connect", micro},
		{lookup, "name lookup, cached", micro},
		{roundTrip, "64-byte round trip after connect", micro},
		{throughput, "throughput after connect", unit{"Gbit/s", 1e9}},
		{computation, "computation, 20 ms of pure Python", milli},
		{memoryPID1, "private memory of PID 1", unit{"KiB", 1 << 10}},
		{memoryParent, "private memory of the parent", unit{"KiB", 1 << 10}},
		{bootstrap, "guest's bootstrap, over plain exec", milli},
		{evalFresh, "first eval of a new host process", milli},
		{evalImported, "first eval of a sandbox in a running host", milli},
		{evalLive, "next eval of a live sandbox", milli},
		{capabilityCall, "call of a capability, both ends in Python", micro},
		{capabilityBulk, "1 MiB to a capability", milli},
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
