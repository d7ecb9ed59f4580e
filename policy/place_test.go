package policy

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/configs"
)

// TestLocate holds that each problem of an error is told with the layer that
// wrote the value, in the order of places, and that other errors stay.
func TestLocate(t *testing.T) {
	dir := tree(t, map[string]string{
		"base.toml": "version = 1\nextends = \"strict\"\n[limits]\nmemory = \"1G\"\npids = 3\n[env]\nset = { A = \"1\", B = \"2\" }\n",
		"p.toml":    "version = 1\nextends = \"base.toml\"\n[limits]\npids = 4\n[files]\nread = [\"p.toml\"]\n[replace.env]\nset = { B = \"3\" }\n",
		"vars":      "# no\nC=4\n",
	})
	p := load(t, Options{File: "p.toml", Directory: dir, Env: func(name string) (string, bool) {
		value, set := map[string]string{variablePython: "python3.12"}[name]
		return value, set
	}, Overrides: Overrides{CPU: "5s", AllowRead: []string{"base.toml"}, EnvFile: []string{"vars"}, AllowSpawn: []string{"any"}}})
	broken, worse := errors.New("broken"), errors.New("worse")
	problem := func(key string) error { return &Problem{Key: key, Err: broken} }
	err := p.Origins.Locate(fmt.Errorf("resolve: %w", errors.Join(
		problem("files.read[1]"), problem("files.read[0]"), problem("limits.pids"), problem("limits.memory"), problem("limits.cpu"),
		problem("python.interpreter"), problem("env.set.B"), problem("env.set.C"), problem("process.spawn"), problem("limits.wall"),
		&Problem{Key: "limits.pids", Other: "limits.memory", Err: worse}, problem("env.set.D"), worse,
	)))
	want := strings.TrimSpace(`
--allow-read: broken
--cpu: broken
PYSANDBOX_PYTHON: broken
--allow-spawn: broken
p.toml:4:8: limits.pids: broken
p.toml:4:8: limits.pids: worse (the other is base.toml:4:10)
p.toml:6:9: files.read: broken
p.toml:8:13: env.set.B: broken
base.toml:4:10: limits.memory: broken
vars:2:1: env.set.C: broken
WALL: limits.wall: broken
env.set.D: broken
worse
`)
	strict, _ := configs.Read("strict")
	want = strings.Replace(want, "WALL", "preset:strict:"+position(string(strict), `"none"`), 1)
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if !errors.Is(err, broken) || !errors.Is(err, worse) {
		t.Error("the errors are lost")
	}
	if alone := p.Origins.Locate(fmt.Errorf("read: %w", worse)); alone.Error() != "read: worse" {
		t.Errorf("an error about no value: %v", alone)
	}
	if p.Origins.Locate(nil) != nil {
		t.Error("no error is an error")
	}
}
