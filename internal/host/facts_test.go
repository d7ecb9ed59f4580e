package host

import (
	"net"
	"net/netip"
	"os"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

func TestProbeAgreesWithTheTestsOwnProbes(t *testing.T) {
	facts := Probe()
	if facts.UID != os.Geteuid() || facts.Kernel.Major == 0 {
		t.Errorf("%+v", facts)
	}
	for feature, name := range map[testenv.Feature]Feature{testenv.Landlock: FeatureLandlock, testenv.Notify: FeatureNotify} {
		lacks := slices.ContainsFunc(facts.Missing, func(e *UnsupportedError) bool { return e.Feature == name })
		if missing := testenv.Missing(feature); lacks != (missing != nil) {
			t.Errorf("%s is missing: %v, while the tests' probe says %v", name, lacks, missing)
		}
	}
	if (facts.Landlock >= landlockScopes) != (testenv.Missing(testenv.LandlockScopes) == nil) {
		t.Errorf("Landlock ABI %d", facts.Landlock)
	}
}

func TestProbeReadsTheHardLimits(t *testing.T) {
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	if got := Probe().HardLimits["RLIMIT_NOFILE"]; got != before.Max {
		t.Errorf("open files %d, want %d", got, before.Max)
	}
}

func TestAddressesAreThoseOfTheInterfaces(t *testing.T) {
	list, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	got, err := Addresses()
	if err != nil || len(got) != len(list) {
		t.Errorf("%v (%v), want %v", got, err, list)
	}
	for _, address := range list {
		prefix, err := netip.ParsePrefix(address.String())
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(got, prefix.Addr()) {
			t.Errorf("%s is not in %v", prefix.Addr(), got)
		}
	}
	if !slices.ContainsFunc(got, netip.Addr.IsLoopback) {
		t.Errorf("no loopback address in %v", got)
	}
}
