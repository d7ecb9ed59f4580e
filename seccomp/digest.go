package seccomp

// Digest is a number that two specs with the same meaning for BPF share, whatever
// the order of their rules. It is quick and tells shipped specs from others; it is
// no defence against somebody who makes a spec to collide.
func (s *FilterSpec) Digest() uint64 {
	sum := mix(mix(fnvOffset, uint64(s.Refused)), uint64(s.RefusedErrno))
	for i := range s.Rules {
		sum += s.Rules[i].digest() // a sum, because order has no meaning
	}
	return sum
}

// Parameters of FNV-1a with 64 bits.
const (
	fnvOffset uint64 = 14695981039346656037
	fnvPrime  uint64 = 1099511628211
)

func (r *Rule) digest() uint64 {
	hash := fnvOffset
	for i := range len(r.Syscall) {
		hash = (hash ^ uint64(r.Syscall[i])) * fnvPrime
	}
	hash = mix(hash, uint64(r.Action)<<16|uint64(r.Errno))
	for _, c := range r.Conditions {
		hash = mix(hash, uint64(c.Arg)<<8|uint64(c.Op))
		hash = mix(hash, c.Mask)
		hash = mix(hash, c.Value)
	}
	return hash
}

// mix adds a word. The shift brings the high half, which a product alone never
// moves down, to where it counts.
func mix(hash, word uint64) uint64 {
	hash = (hash ^ word) * fnvPrime
	return hash ^ hash>>32
}
