package plan

import (
	"errors"
	"fmt"

	"github.com/pysandbox/pysandbox/policy"
)

// refuseUnavailable refuses what the policy language has and this version does
// not enforce. This is the only such list: a key is either here or has an effect.
func refuseUnavailable(pol *policy.Policy) error {
	uses := []struct {
		key  string
		used bool
	}{
		{"network.unix", len(pol.Network.Unix) > 0},
	}
	var problems []error
	for _, use := range uses {
		if use.used {
			problems = append(problems, fmt.Errorf("%s is not available in this version; remove it from the policy", use.key))
		}
	}
	return errors.Join(problems...)
}
