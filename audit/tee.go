package audit

// Tee is a sink that hands each record to every sink in the list, in order.
// The empty Tee discards.
type Tee []Sink

// Record implements Sink.
func (t Tee) Record(r Record) {
	for _, sink := range t {
		sink.Record(r)
	}
}
