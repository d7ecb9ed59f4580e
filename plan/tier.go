package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pysandbox/pysandbox/internal/host"
)

// The tiers, from the strongest down.
const (
	TierFull      = host.TierFull
	TierContainer = host.TierContainer
	TierMinimal   = host.TierMinimal
)

func tierOrDefault(require string) string {
	if require == "" {
		return TierFull
	}
	return require
}

// tier is what a tier stands on and whether this version can run it.
type tier struct {
	name     string
	features []host.Feature
	built    bool
}

func tiers() []tier {
	return []tier{
		{TierFull, []host.Feature{
			host.FeatureUserNS, host.FeatureRoot, host.FeatureProc, host.FeatureLandlock, host.FeatureSeccomp, host.FeatureNotify,
		}, true},
		{TierContainer, []host.Feature{host.FeatureLandlock, host.FeatureSeccomp, host.FeatureNotify}, false},
		{TierMinimal, []host.Feature{host.FeatureLandlock, host.FeatureSeccomp}, false},
	}
}

// Built reports whether this version can run a tier.
func Built(name string) bool {
	return slices.ContainsFunc(tiers(), func(t tier) bool { return t.name == name && t.built })
}

// UnsupportedError says that no tier that the operator accepts can be had here.
type UnsupportedError struct {
	Require string
	Missing []string // "feature: why and what fixes it", for the strongest tier
	Unbuilt []string // weaker tiers that would do, but that this version lacks
}

func (e *UnsupportedError) Error() string {
	text := fmt.Sprintf("this host does not offer the tier %s: %s", TierFull, strings.Join(e.Missing, "; "))
	if len(e.Unbuilt) > 0 {
		text += fmt.Sprintf("; the tier %s is not available in this version", strings.Join(e.Unbuilt, " or "))
	}
	return text
}

// Is makes errors.Is(err, host.ErrUnsupported) true.
func (e *UnsupportedError) Is(target error) bool { return target == host.ErrUnsupported }

// CheckTier says why a host does not offer the tier that the plan requires.
func (p *Plan) CheckTier(f Facts) error {
	_, err := chooseTier(p.Require, f)
	return err
}

// chooseTier returns the strongest tier that the host offers, if it is at least
// the required one. An unknown requirement is never met.
func chooseTier(require string, f Facts) (string, error) {
	all := tiers()
	last := slices.IndexFunc(all, func(t tier) bool { return t.name == require })
	if last < 0 {
		return "", fmt.Errorf("require = %q names no tier; tiers are %s, %s and %s", require, TierFull, TierContainer, TierMinimal)
	}
	failed := &UnsupportedError{Require: require}
	for i, t := range all[:last+1] {
		missing := t.missing(f)
		switch {
		case len(missing) == 0 && t.built:
			return t.name, nil
		case len(missing) == 0:
			failed.Unbuilt = append(failed.Unbuilt, t.name)
		case i == 0:
			failed.Missing = missing
		}
	}
	return "", failed
}

func (t tier) missing(f Facts) []string {
	var missing []string
	for _, feature := range t.features {
		reason, lacks := f.Missing[string(feature)]
		if feature == host.FeatureLandlock && f.Landlock < 1 && !lacks {
			reason, lacks = "the kernel says nothing of it", true
		}
		if lacks {
			missing = append(missing, string(feature)+": "+reason)
		}
	}
	return missing
}
