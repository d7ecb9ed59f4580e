package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// Digest identifies what a resolved plan enforces: the setup operations, among
// them filter and command, and what the supervisor is told beside them. Equal
// digests mean sandboxes that cannot be told apart by what they permit.
func (r *Resolved) Digest() (string, error) {
	setup, err := r.Setup.Encode()
	if err != nil {
		return "", err
	}
	told, err := json.Marshal(struct {
		Tier    string
		Sockets []Socket
		Host    any
		Network any
		Limits  any
	}{r.Tier, r.Sockets, r.HostFacts, r.Plan.Network, r.Plan.Limits})
	if err != nil {
		return "", fmt.Errorf("digest the plan: %w", err)
	}
	sum := sha256.New()
	sum.Write(setup)
	sum.Write(told)
	return "sha256:" + hex.EncodeToString(sum.Sum(nil)), nil
}
