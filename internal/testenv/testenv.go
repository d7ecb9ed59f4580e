// Package testenv tells tests what this machine offers, and finds the
// interpreters, the users and the binary that they run. Only tests import it;
// it must never let a missing feature pass for a passed test.
package testenv

import (
	"os"
	"strings"
	"testing"
)

// RequireVariable names the environment variable that lists, separated by
// commas or spaces, the features whose absence fails a test instead of skipping
// it. The word "all" stands for every feature.
const RequireVariable = "PYSANDBOX_REQUIRE"

// Need skips the test unless every feature is present. Where RequireVariable
// lists a missing feature the test fails instead, so that a run which claims to
// have tested everything cannot have skipped anything.
func Need(tb testing.TB, features ...Feature) {
	tb.Helper()
	required, err := parseRequired(os.Getenv(RequireVariable))
	if err != nil {
		tb.Fatalf("testenv: %v", err)
	}
	for _, feature := range features {
		probe, known := probes()[feature]
		if !known {
			tb.Fatalf("testenv: unknown feature %q", feature)
		}
		missing := probe()
		switch {
		case missing == nil:
		case required[feature]:
			tb.Fatalf("testenv: feature %s is required by %s and missing: %v", feature, RequireVariable, missing)
		default:
			tb.Skipf("testenv: feature %s is missing: %v", feature, missing)
		}
	}
}

// Missing returns why a feature is absent, or nil when it is present.
func Missing(feature Feature) error {
	probe, known := probes()[feature]
	if !known {
		return unknownFeatureError(feature)
	}
	return probe()
}

// parseRequired reads the value of RequireVariable. An unknown name is an
// error: a misspelt requirement would otherwise require nothing.
func parseRequired(value string) (map[Feature]bool, error) {
	required := make(map[Feature]bool)
	known := probes()
	for word := range strings.FieldsFuncSeq(value, func(r rune) bool { return r == ',' || r == ' ' }) {
		if word == "all" {
			for feature := range known {
				required[feature] = true
			}
			continue
		}
		feature := Feature(word)
		if _, ok := known[feature]; !ok {
			return nil, unknownFeatureError(feature)
		}
		required[feature] = true
	}
	return required, nil
}
