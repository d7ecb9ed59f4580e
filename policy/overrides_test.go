package policy

import (
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/pysandbox/pysandbox/internal/netrule"
)

func TestOverrides(t *testing.T) {
	dir := tree(t, map[string]string{
		"p.toml":     "version = 1\n[network]\nallow = [\"file.example\"]\n[env]\nset = { A = \"file\", B = \"file\" }\n[process]\nspawn = [\"git\"]\n",
		"data/x":     "",
		"tool":       "",
		"vars":       "# a comment\n\nB=env file\nC=with = signs and \"quotes\"\r\nPASSED\n",
		"venv/bin/x": "",
	})
	p := load(t, Options{File: "p.toml", Directory: dir, Overrides: Overrides{
		AllowNet: []string{"tcp://a.example:443", "udp://192.0.2.53:53"}, DenyNet: []string{"10.0.0.0/8"},
		AllowRead: []string{"data", "./data/x"}, AllowWrite: []string{"data"},
		AllowEnv: []string{"HOME"}, Env: []string{"A=flag", "D=", "E=a=b"}, EnvFile: []string{"vars"},
		AllowSpawn: []string{"./tool"}, HostLoopback: []string{"6379", "udp:53"}, Listen: []string{"8000", "tcp:0.0.0.0:80:8080"},
		Require: "minimal", Python: "./venv", Directory: "data",
		Timeout: "10s", CPU: "5s", Memory: "1g", Pids: "9", Output: "1M", TmpSize: "2M", FileSize: "3M", OpenFiles: "99",
	}})
	in := func(name string) string { return filepath.Join(dir, name) }
	same(t, "layers", p.Layers, []string{"preset:strict", "p.toml", "flags"})
	same(t, "name", p.Name, "p.toml")
	same(t, "network.allow", ruleTexts(p.Network.Rules.Allow),
		"network.allow[0]=file.example network.allow[1]=tcp://a.example:443 network.allow[2]=udp://192.0.2.53:53")
	same(t, "origin", p.Network.Rules.Allow[1].Origin, "--allow-net")
	same(t, "network.deny", ruleTexts(p.Network.Rules.Deny), "network.deny[0]=10.0.0.0/8")
	same(t, "files.read", p.Files.Read, []string{in("data"), in("data/x")})
	same(t, "files.write", p.Files.Write, []string{in("data")})
	same(t, "env.pass", p.Env.Pass[len(p.Env.Pass)-2:], []string{"PASSED", "HOME"})
	same(t, "env.set", p.Env.Set, map[string]string{
		"A": "flag", "B": "env file", "C": `with = signs and "quotes"`, "D": "", "E": "a=b",
	})
	same(t, "process", p.Process, Process{Spawn: []string{"git", in("tool")}, Threads: true, Directory: in("data")})
	same(t, "host_loopback", p.Network.HostLoopback, []Port{{netrule.TCP, 6379}, {netrule.UDP, 53}})
	same(t, "listen", p.Network.Listen, []Listen{{"tcp:8000", "127.0.0.1", 8000, 8000}, {"tcp:0.0.0.0:80:8080", "0.0.0.0", 80, 8080}})
	same(t, "require", p.Require, "minimal")
	same(t, "interpreter", p.Python.Interpreter, in("venv"))
	same(t, "wall", p.Limits.Wall, 10*time.Second)
	same(t, "cpu", p.Limits.CPU, 5*time.Second)
	same(t, "sizes", []Size{p.Limits.Memory, p.Limits.Output, p.Limits.TmpSize, p.Limits.FileSize}, []Size{1 << 30, 1 << 20, 2 << 20, 3 << 20})
	same(t, "counts", []int{p.Limits.Pids, p.Limits.OpenFiles}, []int{9, 99})

	p = load(t, Options{Overrides: Overrides{AllowSpawn: []string{"any"}, Timeout: "none", Memory: "none", Pids: "none"}})
	same(t, "spawn of any", p.Process.SpawnAny, true)
	same(t, "lifted limits", p.Limits.Memory == 0 && p.Limits.Pids == 0 && p.Limits.Wall == 0, true)
}

func TestOverridesRefuse(t *testing.T) {
	dir := tree(t, map[string]string{"vars": "A=1\nB C=1\n=\n", "p.toml": "version = 1\n"})
	tests := []struct {
		flags Overrides
		want  string
	}{
		{Overrides{AllowNet: []string{"http://x"}}, `--allow-net: expected tcp:// and a port, such as "tcp://example.org:80", found "http://"`},
		{Overrides{AllowNet: []string{"x", "y:0"}}, `--allow-net: expected a port from 1 to 65535, found "0"`},
		{Overrides{DenyNet: []string{"10.0.0.1/8"}}, `--deny-net: expected the network 10.0.0.0/8, found "10.0.0.1/8"`},
		{Overrides{AllowRead: []string{"none"}}, `--allow-read: "none" (` + dir + `/none) does not exist`},
		{Overrides{AllowWrite: []string{""}}, `--allow-write: expected a path, found ""`},
		{Overrides{AllowSpawn: []string{""}}, `--allow-spawn: expected a program such as "git", or a path, found ""`},
		{Overrides{AllowEnv: []string{"A=1"}}, `--allow-env: expected the name of an environment variable, found "A=1"`},
		{Overrides{AllowEnv: []string{"A,B"}}, `--allow-env: expected the name of one environment variable, found "A,B"`},
		{Overrides{Env: []string{"A"}}, `--env: expected NAME=VALUE, found "A"`},
		{Overrides{Env: []string{"=1"}}, `--env: expected the name of an environment variable, found "=1"`},
		{Overrides{Env: []string{"A=\x00"}}, `--env: expected a text without a NUL byte, found "A=\x00"`},
		{Overrides{EnvFile: []string{"none"}}, `--env-file: read none: no such file or directory`},
		{Overrides{EnvFile: []string{"/dev/zero"}}, `--env-file: read /dev/zero: a file of variables has at most 1 MiB`},
		{Overrides{EnvFile: []string{"vars"}}, "vars:2:1: expected the name of an environment variable, found \"B C=1\"\nvars:3:1: expected the name of an environment variable, found \"=\""},
		{Overrides{AllowSpawn: []string{"./none"}}, `--allow-spawn: "./none" (` + dir + `/none) does not exist`},
		{Overrides{HostLoopback: []string{"redis"}}, `--host-loopback: expected one port from 1 to 65535, such as 6379 or "udp:5353", found "redis"`},
		{Overrides{HostLoopback: []string{"5432,6379"}}, `--host-loopback: expected one port from 1 to 65535, such as 6379 or "udp:5353", found "5432,6379"`},
		{Overrides{Listen: []string{"0"}}, `--listen: expected "tcp:[ADDRESS:]HOSTPORT[:GUESTPORT]", such as "tcp:127.0.0.1:8000", found "0"`},
		{Overrides{Require: "Full"}, `--require: expected "full", "container" or "minimal", found "Full"; did you mean "full"?`},
		{Overrides{Python: "./none"}, `--python: "./none" (` + dir + `/none) does not exist`},
		{Overrides{Timeout: "10"}, `--timeout: expected a duration above zero such as "10s", "1m30s" or "500ms", or "none", found "10"`},
		{Overrides{CPU: "0s"}, `--cpu: expected a duration above zero such as "10s", "1m30s" or "500ms", or "none", found "0s"`},
		{Overrides{Memory: "0"}, `--memory: expected a size above zero such as "512MiB", or "none", found "0"`},
		{Overrides{Memory: "-1M"}, `--memory: expected a size such as "512MiB", found "-1M"`},
		{Overrides{Pids: "1.5"}, `--pids: expected a whole number from 1 to 4194304, or "none", found "1.5"`},
		{Overrides{Output: "x"}, `--output: expected a size such as "512MiB", found "x"`},
		{Overrides{TmpSize: "1MB"}, `--tmp-size: expected a unit of K, M, G, T, KiB, MiB, GiB or TiB, all binary, found "1MB"`},
		{Overrides{OpenFiles: "0"}, `--open-files: expected a whole number from 1 to 1048576, or "none", found "0"`},
		{Overrides{FileSize: "M"}, `--file-size: expected a size such as "512MiB", found "M"`},
		{Overrides{AllowNet: []string{"localhost"}}, `--allow-net: network.allow[0] ("localhost"): localhost is the sandbox's own loopback inside; forward a port with network.host_loopback instead`},
		{Overrides{AllowNet: []string{"*"}, DenyNet: []string{"x.example"}}, `--deny-net: network.deny[0] ("x.example"): a denied host name does nothing beside "*" in allow, because the program can use the address instead; deny its addresses, or allow names only`},
		{Overrides{Pids: "x", Memory: "y"}, "--memory: expected a size such as \"512MiB\", found \"y\"\n--pids: expected a whole number from 1 to 4194304, or \"none\", found \"x\""},
	}
	for _, test := range tests {
		p, err := Load(Options{File: "p.toml", Directory: dir, Overrides: test.flags})
		if err == nil || err.Error() != test.want {
			t.Errorf("flags %+v:\n got %v\nwant %s", test.flags, err, test.want)
		}
		if !reflect.DeepEqual(p, Policy{}) {
			t.Errorf("flags %+v: a policy beside the error", test.flags)
		}
	}
}

// TestEveryOverrideIsRead holds the fields of Overrides against the table of
// settings: each is some setting's flag, and each flag has a field.
func TestEveryOverrideIsRead(t *testing.T) {
	fields := reflect.TypeFor[Overrides]().NumField()
	flags := len(Overrides{}.lists()) + len(Overrides{}.scalars()) + 1 // --env-file
	same(t, "fields of Overrides", fields, flags)
	read := map[string]bool{}
	for _, s := range settings() {
		if s.flag == "" {
			continue
		}
		if _, known := (Overrides{}).texts(s.flag); !known {
			t.Errorf("%s is set by %s, which Overrides lacks", s.key, s.flag)
		}
		read[s.flag] = true
	}
	same(t, "flags of settings", len(read), flags-1)
}
