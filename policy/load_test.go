package policy

import (
	"testing"

	"github.com/pysandbox/pysandbox/configs"
)

func TestPresetsLoad(t *testing.T) {
	for _, name := range configs.Names() {
		p, err := Load(Options{Preset: name, Directory: t.TempDir()})
		if err != nil {
			t.Errorf("preset %s: %v", name, err)
			continue
		}
		if p.Name != "preset:"+name {
			t.Errorf("preset %s is named %s", name, p.Name)
		}
		t.Logf("%+v", p)
	}
}
