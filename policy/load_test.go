package policy

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pysandbox/pysandbox/configs"
	"github.com/pysandbox/pysandbox/internal/netrule"
)

// tree writes files below a new directory, and returns that.
func tree(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func load(t testing.TB, o Options) Policy {
	t.Helper()
	p, err := Load(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func ruleTexts(rules []netrule.Rule) string {
	var texts []string
	for _, rule := range rules {
		texts = append(texts, rule.ID+"="+rule.Text)
	}
	return strings.Join(texts, " ")
}

func same[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

func TestPresets(t *testing.T) {
	policies := map[string]Policy{}
	for _, name := range configs.Names() {
		p := load(t, Options{Preset: name})
		same(t, "name", p.Name, "preset:"+name)
		same(t, "tier of "+name, p.Require, "full")
		same(t, "wall limit of "+name, p.Limits.Wall, 0)
		policies[name] = p
	}
	strict := policies["strict"]
	same(t, "rules of strict", strict.Network.Rules, netrule.Set{})
	same(t, "memory of strict", strict.Limits.Memory, Size(512<<20))
	same(t, "spawn of strict", strict.Process.SpawnAny || strict.Process.Spawn != nil, false)
	same(t, "threads of strict", strict.Process.Threads, true)
	same(t, "errno of strict", strict.Network.Errno, "EACCES")
	same(t, "the default", load(t, Options{}), strict)

	same(t, "rules of http-only", ruleTexts(policies["http-only"].Network.Rules.Allow), "network.allow[0]=tcp://*:80")
	same(t, "layers of http-only", policies["http-only"].Layers, []string{"preset:strict", "preset:http-only"})
	same(t, "rules of web-client", ruleTexts(policies["web-client"].Network.Rules.Allow), "network.allow[0]=tcp://*:80,443")
	same(t, "denials of web-client", len(policies["web-client"].Network.Rules.Deny), 4)
	same(t, "spawn of worker", policies["worker"].Process.SpawnAny, true)
	same(t, "output of worker", policies["worker"].Limits.Output, 0)
}

// TestPresetExamples loads the policies that the comments of the presets show.
func TestPresetExamples(t *testing.T) {
	dir := tree(t, map[string]string{"data/x": "", "venv/x": "", "app/x": "", "var/x": ""})
	count := 0
	for _, name := range configs.Names() {
		text, _ := configs.Read(name)
		for _, example := range examples(string(text)) {
			if strings.HasPrefix(example, "pysandbox ") {
				continue
			}
			if !strings.HasPrefix(example, "version") {
				example = "version = 1\nextends = \"" + name + "\"\n" + example
			}
			example = strings.ReplaceAll(example, "/srv/billing", dir)
			if err := os.WriteFile(filepath.Join(dir, "p.toml"), []byte(example), 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := Load(Options{File: "p.toml", Directory: dir}); err != nil {
				t.Errorf("example of %s:\n%s\n%v", name, example, err)
			}
			count++
		}
	}
	if count < 6 {
		t.Errorf("only %d examples were found", count)
	}
}

// examples lists the indented blocks in the comments of a policy.
func examples(text string) []string {
	var blocks []string
	within := false
	for line := range strings.Lines(text) {
		code, isCode := strings.CutPrefix(line, "#     ")
		switch {
		case isCode && within:
			blocks[len(blocks)-1] += code
		case isCode:
			blocks = append(blocks, code)
		}
		within = isCode
	}
	return blocks
}

func TestEverySetting(t *testing.T) {
	dir, err := filepath.Abs("testdata/valid")
	if err != nil {
		t.Fatal(err)
	}
	p := load(t, Options{File: "everything.toml", Directory: dir})
	data := filepath.Join(dir, "data")
	origin := func(place string) string { return "everything.toml:" + place }
	want := Policy{
		Name: "everything.toml", Layers: []string{"preset:strict", "preset:http-only", "everything.toml"},
		Require: "container",
		Python:  Python{Interpreter: "3.12", ModulesAllow: []string{"json", "urllib.*"}, ModulesDeny: []string{"ctypes"}},
		Files: Files{
			Read: []string{data}, Write: []string{filepath.Join(dir, "written")}, Exec: []string{data},
			TmpExec: true, ShmSize: 1 << 30, AllowRootOwned: true,
		},
		Network: Network{
			HostLoopback: []Port{{netrule.TCP, 6379}, {netrule.UDP, 53}, {netrule.TCP, 6380}, {netrule.TCP, 6381}},
			Listen: []Listen{
				{"tcp:8000", "127.0.0.1", 8000, 8000},
				{"tcp:127.0.0.2:8001", "127.0.0.2", 8001, 8001},
				{"tcp:[::1]:8002:80", "::1", 8002, 80},
				{"tcp:8003:81", "127.0.0.1", 8003, 81},
				{"tcp:8004", "127.0.0.1", 8004, 8004},
				{"tcp:8005", "127.0.0.1", 8005, 8005},
				{"tcp:8006:82", "127.0.0.1", 8006, 82},
				{"tcp:127.0.0.1:8007", "127.0.0.1", 8007, 8007},
				{"tcp:[::1]:8008", "::1", 8008, 8008},
			},
			Unix: []string{"/run/postgresql/.s.PGSQL.5432"}, Direct: true, Errno: "ECONNREFUSED", DNSNames: 10, DNSBytes: 1024,
		},
		Process: Process{Spawn: []string{"git", data}, Directory: data},
		Env:     Env{Pass: []string{"LANG"}, Set: map[string]string{"MODE": "job", "EMPTY": ""}},
		Limits: Limits{
			Wall: 90 * time.Second, CPU: 500 * time.Millisecond, Memory: 1 << 30, Pids: 8, OpenFiles: 64,
			FileSize: 64 << 10, TmpSize: 1 << 20, CPUQuota: 1.5, Connections: 4, Inodes: 1000,
			BestEffort: []string{"memory", "pids", "cpu", "cpu_quota"},
		},
		Syscalls:     Syscalls{Allow: []string{"server", "mlock"}, Errno: map[string]string{"sethostname": "EPERM"}},
		Capabilities: []string{"fetch", "clock.now"},
	}
	for i, rule := range []struct{ text, origin string }{
		{"tcp://*:80", "preset:http-only:25:10"}, {"tcp://api.example.org:8080", origin("18:10")}, {"udp://192.0.2.53:53", origin("18:40")},
	} {
		parsed, err := netrule.Parse(rule.text, "network.allow["+string(rune('0'+i))+"]")
		if err != nil {
			t.Fatal(err)
		}
		parsed.Origin = rule.origin
		want.Network.Rules.Allow = append(want.Network.Rules.Allow, parsed)
	}
	deny, _ := netrule.Parse("203.0.113.0/24", "network.deny[0]")
	deny.Origin = origin("19:9")
	want.Network.Rules.Deny = []netrule.Rule{deny}
	for key, written := range map[string]struct{ file, text string }{
		"network.allow[0]": {"http-only", `"tcp://*:80"`}, "limits.best_effort[3]": {"strict", `"cpu_quota"]`},
		"env.pass[0]": {"", `"LANG"`}, "process.spawn[0]": {"", `"git"`}, "limits.wall": {"", `"1m30s"`}, "files.tmp_exec": {"", "true"},
		"env.set.MODE": {"", `"job"`}, "syscalls.errno.sethostname": {"", `"EPERM"`},
	} {
		name := "everything.toml"
		text, _ := os.ReadFile(filepath.Join(dir, name))
		if written.file != "" {
			text, _ = configs.Read(written.file)
			name = "preset:" + written.file
		}
		same(t, "origin of "+key, p.Origins[key].String(), name+":"+position(string(text), written.text))
	}
	want.Origins = p.Origins
	for i := range reflect.TypeFor[Policy]().NumField() {
		name := reflect.TypeFor[Policy]().Field(i).Name
		same(t, name, reflect.ValueOf(p).Field(i).Interface(), reflect.ValueOf(want).Field(i).Interface())
	}
}

func TestLayersOfFiles(t *testing.T) {
	dir := tree(t, map[string]string{
		"base/base.toml": `version = 1
extends = "http-only"
[files]
read = ["data"]
[network]
allow = ["base.example"]
deny = ["203.0.113.0/24"]
[process]
spawn = ["git"]
[env]
set = { A = "base", B = "base" }
[limits]
memory = "1G"
pids = 10
`,
		"base/data": "",
		"data":      "",
		"top.json": `{"version": 1, "extends": "base/base.toml", "files": {"read": ["data"]},
			"network": {"allow": ["top.example"]}, "env": {"set": {"B": "top", "C": "top"}},
			"process": {"spawn": ["hg"]}, "limits": {"pids": 20}}`,
		"replaced.toml": `version = 1
extends = "base/base.toml"
[replace]
network = { allow = [], deny = ["198.51.100.0/24"] }
files.read = []
process.spawn = ["hg"]
env.set = { C = "top" }
`,
		"bool.toml":  "version = 1\nextends = \"base/base.toml\"\nprocess.spawn = true\n",
		"never.toml": "version = 1\nextends = \"bool.toml\"\nprocess.spawn = false\n",
		"again.toml": "version = 1\nextends = \"bool.toml\"\nprocess.spawn = [\"hg\"]\n",
	})
	p := load(t, Options{File: "top.json", Directory: dir})
	same(t, "layers", p.Layers, []string{"preset:strict", "preset:http-only", "base/base.toml", "top.json"})
	same(t, "files.read", p.Files.Read, []string{filepath.Join(dir, "base/data"), filepath.Join(dir, "data")})
	same(t, "network.allow", ruleTexts(p.Network.Rules.Allow), "network.allow[0]=tcp://*:80 network.allow[1]=base.example network.allow[2]=top.example")
	same(t, "network.deny", ruleTexts(p.Network.Rules.Deny), "network.deny[0]=203.0.113.0/24")
	same(t, "origin", p.Network.Rules.Allow[1].Origin, "base/base.toml:6:10")
	same(t, "process.spawn", p.Process.Spawn, []string{"git", "hg"})
	same(t, "env.set", p.Env.Set, map[string]string{"A": "base", "B": "top", "C": "top"})
	same(t, "limits.memory", p.Limits.Memory, Size(1<<30))
	same(t, "limits.pids", p.Limits.Pids, 20)

	p = load(t, Options{File: filepath.Join(dir, "replaced.toml"), Directory: "/"})
	same(t, "replaced network.allow", ruleTexts(p.Network.Rules.Allow), "")
	same(t, "replaced network.deny", ruleTexts(p.Network.Rules.Deny), "network.deny[0]=198.51.100.0/24")
	same(t, "replaced files.read", len(p.Files.Read), 0)
	same(t, "replaced process.spawn", p.Process.Spawn, []string{"hg"})
	same(t, "replaced env.set", p.Env.Set, map[string]string{"C": "top"})

	for file, want := range map[string]Process{
		"bool.toml":  {SpawnAny: true, Threads: true},
		"never.toml": {Threads: true},
		"again.toml": {Spawn: []string{"hg"}, Threads: true},
	} {
		same(t, "process of "+file, load(t, Options{File: file, Directory: dir}).Process, want)
	}
}

func TestBasesOfAFile(t *testing.T) {
	dir := tree(t, map[string]string{
		"plain.toml":    "version = 1\n",
		"extended.toml": "version = 1\nextends = \"http-only\"\n",
		"deep1.toml":    "version = 1\nextends = \"deep2.toml\"\n",
	})
	for i := 2; i <= 8; i++ {
		next := "deep" + string(rune('1'+i)) + ".toml"
		if i == 8 {
			next = "strict"
		}
		if err := os.WriteFile(filepath.Join(dir, "deep"+string(rune('0'+i))+".toml"), []byte("version = 1\nextends = \""+next+"\"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	same(t, "layers of a plain file", load(t, Options{File: "plain.toml", Directory: dir}).Layers, []string{"preset:strict", "plain.toml"})
	same(t, "layers over a preset", load(t, Options{File: "plain.toml", Preset: "worker", Directory: dir}).Layers,
		[]string{"preset:strict", "preset:worker", "plain.toml"})
	same(t, "layers of a chain of 8", len(load(t, Options{File: "deep1.toml", Directory: dir}).Layers), 9)
	_, err := Load(Options{File: "extended.toml", Preset: "worker", Directory: dir})
	if err == nil || err.Error() != `--preset: extended.toml already extends "http-only"; name one base for it` {
		t.Errorf("two bases: %v", err)
	}
	same(t, "layers of one base, named twice", load(t, Options{File: "extended.toml", Preset: "http-only", Directory: dir}).Layers,
		load(t, Options{File: "extended.toml", Directory: dir}).Layers)
	_, err = Load(Options{File: "missing.toml", Directory: dir})
	if err == nil || err.Error() != `--policy: read missing.toml: no such file or directory` {
		t.Errorf("a missing file: %v", err)
	}
	_, err = Load(Options{Preset: "stric"})
	if err == nil || err.Error() != `--preset: no preset is named "stric"; did you mean "strict"?` {
		t.Errorf("a missing preset: %v", err)
	}
	if _, err = Load(Options{File: ".", Directory: dir}); err == nil || err.Error() != `--policy: read .: is a directory` {
		t.Errorf("a directory: %v", err)
	}
}

func TestEnvironment(t *testing.T) {
	dir := tree(t, map[string]string{"p.toml": "version = 1\n", "q.toml": "version = 1\n[limits]\npids = 7\n"})
	variables := map[string]string{
		"PYSANDBOX_POLICY": "p.toml", "PYSANDBOX_PRESET": "http-only", "PYSANDBOX_PYTHON": "3.11",
		"PYSANDBOX_REPORT": "/r", "PYSANDBOX_AUDIT": "/a", "PYSANDBOX_BINARY": "/b",
		"PYSANDBOX_ALLOW_NET": "any", "PYSANDBOX_MEMORY": "1G", // not read
	}
	var asked []string
	env := func(name string) (string, bool) {
		asked = append(asked, name)
		value, found := variables[name]
		return value, found
	}
	p := load(t, Options{Directory: dir, Env: env})
	same(t, "layers", p.Layers, []string{"preset:strict", "preset:http-only", "p.toml", "PYSANDBOX_PYTHON"})
	same(t, "interpreter", p.Python.Interpreter, "3.11")
	same(t, "rules", ruleTexts(p.Network.Rules.Allow), "network.allow[0]=tcp://*:80")
	same(t, "memory", p.Limits.Memory, Size(512<<20))
	same(t, "variables in force", p.EnvUsed, []string{
		"PYSANDBOX_POLICY", "PYSANDBOX_PRESET", "PYSANDBOX_PYTHON", "PYSANDBOX_REPORT", "PYSANDBOX_AUDIT", "PYSANDBOX_BINARY",
	})
	slices.Sort(asked)
	same(t, "variables that were read", slices.Compact(asked), slices.DeleteFunc(slices.Sorted(maps.Keys(variables)), func(name string) bool {
		return name == "PYSANDBOX_ALLOW_NET" || name == "PYSANDBOX_MEMORY"
	}))
	same(t, "the environment", ReadEnvironment(env), Environment{"p.toml", "http-only", "3.11", "/r", "/a", "/b"})
	same(t, "no environment", ReadEnvironment(nil), Environment{})

	p = load(t, Options{Directory: dir, Env: env, File: "q.toml", Preset: "web-client", Overrides: Overrides{Python: "3.9"}})
	same(t, "layers under flags", p.Layers, []string{"preset:strict", "preset:web-client", "q.toml", "flags"})
	same(t, "interpreter under flags", p.Python.Interpreter, "3.9")
	same(t, "variables under flags", p.EnvUsed, []string{"PYSANDBOX_REPORT", "PYSANDBOX_AUDIT", "PYSANDBOX_BINARY"})

	for name, want := range map[string]string{
		"PYSANDBOX_POLICY": "PYSANDBOX_POLICY: read none.toml: no such file or directory",
		"PYSANDBOX_PRESET": `PYSANDBOX_PRESET: no preset is named "none.toml"; --policy names a file`,
		"PYSANDBOX_PYTHON": `PYSANDBOX_PYTHON: "./none" (` + dir + `/none) does not exist`,
	} {
		_, err := Load(Options{Directory: dir, Env: func(asked string) (string, bool) {
			value := map[string]string{"PYSANDBOX_PYTHON": "./none"}[name]
			if value == "" {
				value = "none.toml"
			}
			if asked != name {
				return "", false
			}
			return value, true
		}})
		if err == nil || err.Error() != want {
			t.Errorf("wrong %s: %v, want %s", name, err, want)
		}
	}
}

// An error of two names has the one number, and either name may be written.
func TestSecondNamesOfErrors(t *testing.T) {
	dir := tree(t, map[string]string{"p.toml": "version = 1\nnetwork.errno = \"EOPNOTSUPP\"\n" +
		"syscalls.errno.sethostname = \"EWOULDBLOCK\"\n"})
	p := load(t, Options{File: "p.toml", Directory: dir})
	same(t, "of connect", p.Network.Errno, "EOPNOTSUPP")
	same(t, "of a call", p.Syscalls.Errno["sethostname"], "EWOULDBLOCK")
}

// position is where a text first has words that are no comment, as "line:column".
func position(text, words string) string {
	number := 0
	for line := range strings.Lines(text) {
		number++
		code, _, _ := strings.Cut(line, "#")
		if at := strings.Index(code, words); at >= 0 {
			return fmt.Sprintf("%d:%d", number, at+1)
		}
	}
	return "nowhere"
}
