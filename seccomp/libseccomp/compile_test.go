package libseccomp

import (
	"testing"

	"github.com/pysandbox/pysandbox/seccomp"
)

func TestCompileEveryLayer(t *testing.T) {
	var all []string
	for _, l := range seccomp.LayerNames() {
		spec, err := seccomp.Layers(l.Name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Compile(spec); err != nil {
			t.Errorf("%s: %v", l.Name, err)
		}
		all = append(all, l.Name)
	}
	spec, err := seccomp.Layers(all...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Compile(spec); err != nil {
		t.Errorf("all layers: %v", err)
	}
}
