package supervisor

import "math/rand/v2"

// randomName returns 13 lower-case characters that differ between runs. They
// avoid collisions; they are no secret.
func randomName() string {
	const digits = "abcdefghijklmnopqrstuvwxyz234567"
	name := make([]byte, 13)
	n := rand.Uint64()
	for i := range name {
		name[i] = digits[n&31]
		n >>= 5
	}
	return string(name)
}
