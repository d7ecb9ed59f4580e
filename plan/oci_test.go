package plan_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/pysandbox/pysandbox/plan"
	"github.com/pysandbox/pysandbox/policy"
	"github.com/pysandbox/pysandbox/seccomp"
)

// ociSchema compiles the schema of the OCI runtime specification, from the
// sources of the module that plan builds on.
func ociSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/opencontainers/runtime-spec").Output()
	if err != nil {
		t.Fatalf("find the OCI schema: %v", err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft4) // as its entry file says
	compiler.UseLoader(ociLoader{})
	schema, err := compiler.Compile(filepath.Join(strings.TrimSpace(string(dir)), "schema", "config-schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// ociLoader reads the schema's files. One reference of version 1.3.0 lacks the
// slash that a JSON pointer begins with.
type ociLoader struct{}

func (ociLoader) Load(url string) (any, error) {
	text, err := os.ReadFile(strings.TrimPrefix(url, "file://"))
	if err != nil {
		return nil, err
	}
	return jsonschema.UnmarshalJSON(bytes.NewReader(bytes.ReplaceAll(text, []byte(`"#definitions/`), []byte(`"#/definitions/`))))
}

func ociConfig(t *testing.T, r *plan.Resolved) []byte {
	t.Helper()
	config, err := r.OCI(100000, 200000)
	if err != nil {
		t.Fatal(err)
	}
	return config
}

func TestOCIConfigIsValid(t *testing.T) {
	schema := ociSchema(t)
	for _, name := range presets() {
		pol := preset(t, name)
		pol.Files.Read, pol.Files.Write = []string{"/srv/link"}, []string{"/srv/out"}
		pol.Limits.CPUQuota = 1.5
		config := ociConfig(t, resolve(t, compile(t, pol, script()), fixedHost()))
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(config))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		broken := bytes.Replace(config, []byte(`"type": "user"`), []byte(`"type": "none"`), 1)
		value, err = jsonschema.UnmarshalJSON(bytes.NewReader(broken))
		if err != nil {
			t.Fatal(err)
		}
		if schema.Validate(value) == nil {
			t.Errorf("%s: the schema accepts a namespace of no kind, so it checks nothing", name)
		}
	}
}

func TestOCIConfigSaysWhatIsEnforced(t *testing.T) {
	pol := preset(t, "strict")
	pol.Files.Read, pol.Files.Write = []string{"/srv/link"}, []string{"/srv/out"}
	var spec specs.Spec
	if err := json.Unmarshal(ociConfig(t, resolve(t, compile(t, pol, script()), fixedHost())), &spec); err != nil {
		t.Fatal(err)
	}
	if !spec.Root.Readonly || !spec.Process.NoNewPrivileges {
		t.Error("the root is writable, or privileges can be gained")
	}
	if c := spec.Process.Capabilities; c == nil || len(c.Bounding)+len(c.Effective)+len(c.Permitted)+len(c.Inheritable)+len(c.Ambient) > 0 {
		t.Errorf("capabilities are not said to be empty: %+v", c)
	}
	if spec.Process.User.UID != 1000 || spec.Linux.UIDMappings[0] != (specs.LinuxIDMapping{ContainerID: 0, HostID: 100000, Size: 65536}) {
		t.Errorf("user %+v, mapped %+v", spec.Process.User, spec.Linux.UIDMappings)
	}
	if spec.Process.Args[0] != "/usr/bin/python3" || spec.Process.Cwd != "/home/sandbox" {
		t.Errorf("args %q, cwd %q", spec.Process.Args, spec.Process.Cwd)
	}
	if got := spec.Annotations[plan.LinkAnnotation+"/lib64"]; got != "usr/lib64" {
		t.Errorf("the link /lib64 is %q", got)
	}
	mounts := make(map[string]string)
	for _, m := range spec.Mounts {
		mounts[m.Destination] = strings.Join(m.Options, ",")
	}
	for destination, want := range map[string]string{
		"/srv/out":            "rbind,nosuid,nodev,noexec",
		"/srv/data/real":      "rbind,nosuid,nodev,ro,noexec",
		"/usr/lib/python3.12": "rbind,nosuid,nodev,ro",
		"/tmp":                "nosuid,nodev,noexec,mode=1777,size=67108864,nr_inodes=65536",
	} {
		if mounts[destination] != want {
			t.Errorf("%s is mounted with %q, want %q", destination, mounts[destination], want)
		}
	}
	if n := slices.Index(destinations(spec), "/dev"); n > slices.Index(destinations(spec), "/dev/shm") {
		t.Error("/dev would cover /dev/shm")
	}
}

func destinations(spec specs.Spec) []string {
	var all []string
	for _, m := range spec.Mounts {
		all = append(all, m.Destination)
	}
	return all
}

// TestOCIFilterIsNoWider compares the filter in OCI's words, where nobody can be
// asked, with the plan's own, on arguments at and around every condition: what it
// lets through, the plan lets through too.
func TestOCIFilterIsNoWider(t *testing.T) {
	for _, name := range presets() {
		p := compile(t, preset(t, name), script())
		var spec specs.Spec
		if err := json.Unmarshal(ociConfig(t, resolve(t, p, fixedHost())), &spec); err != nil {
			t.Fatal(err)
		}
		oci := spec.Linux.Seccomp
		if oci.DefaultAction != specs.ActErrno || *oci.DefaultErrnoRet != 1 {
			t.Errorf("%s: the default is %s", name, oci.DefaultAction)
		}
		static := p.Filter.Static()
		byCall := make(map[string][]specs.LinuxSyscall)
		for _, rule := range oci.Syscalls {
			byCall[rule.Names[0]] = append(byCall[rule.Names[0]], rule)
		}
		both := 0
		for _, number := range seccomp.Numbers() {
			call := seccomp.Name(number)
			for _, args := range argumentsFor(static, call) {
				want, _ := static.Ruling(seccomp.Data{Number: number, Arch: seccomp.ArchX86_64, Args: args})
				got := ociAllows(t, byCall[call], args)
				if got && want.Action == seccomp.ActAllow {
					both++
				}
				if got && want.Action != seccomp.ActAllow {
					t.Errorf("%s: OCI allows %s with arguments %#x, the plan says %v", name, call, args, want)
				}
			}
		}
		if both < 300 {
			t.Errorf("%s: only %d of the tried calls are allowed", name, both)
		}
	}
}

// argumentsFor returns arguments that lie on either side of each condition that
// the filter has for a call.
func argumentsFor(filter seccomp.FilterSpec, call string) [][6]uint64 {
	all := [][6]uint64{{}, {^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0)}}
	for _, rule := range filter.Rules {
		if rule.Syscall != call || len(rule.Conditions) == 0 {
			continue
		}
		var exact [6]uint64
		for _, c := range rule.Conditions {
			exact[c.Arg] = c.Value
		}
		all = append(all, exact)
		for _, c := range rule.Conditions {
			for bit := range 34 { // an int, and what lies above it
				near := exact
				near[c.Arg] ^= 1 << bit
				all = append(all, near)
			}
		}
	}
	return all
}

// ociAllows decides as libseccomp does: a rule without conditions beats all
// others, and of those with conditions one has to hold.
func ociAllows(t *testing.T, rules []specs.LinuxSyscall, args [6]uint64) bool {
	t.Helper()
	allows := false
	for _, rule := range rules {
		if len(rule.Args) == 0 {
			return rule.Action == specs.ActAllow
		}
		holds := true
		for _, arg := range rule.Args {
			switch arg.Op {
			case specs.OpMaskedEqual:
				holds = holds && args[arg.Index]&arg.Value == arg.ValueTwo
			case specs.OpEqualTo:
				holds = holds && args[arg.Index] == arg.Value
			default:
				t.Fatalf("the test does not know %s", arg.Op)
			}
		}
		if holds && rule.Action != specs.ActAllow {
			return false
		}
		allows = allows || holds
	}
	return allows
}

func TestOCIDoesNotChangeThePlan(t *testing.T) {
	r := resolve(t, compile(t, preset(t, "strict"), script()), fixedHost())
	before, err := json.Marshal(r.Plan)
	if err != nil {
		t.Fatal(err)
	}
	ociConfig(t, r)
	after, err := json.Marshal(r.Plan)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before, after) {
		t.Error("the plan has changed")
	}
}

func TestDigest(t *testing.T) {
	digest := func(change func(*policy.Policy), inv plan.Invocation) string {
		t.Helper()
		r, err := resolveWith(t, change, inv, fixedHost())
		if err != nil {
			t.Fatal(err)
		}
		d, err := r.Digest()
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	base := digest(nil, script())
	if again := digest(nil, script()); again != base {
		t.Errorf("equal plans have the digests %s and %s", base, again)
	}
	other := script()
	other.Args = []string{"other"}
	seen := map[string]string{base: "the base"}
	for name, now := range map[string]string{
		"another argument": digest(nil, other),
		"a variable":       digest(func(p *policy.Policy) { p.Env.Set = map[string]string{"A": "1"} }, script()),
		"a path":           digest(func(p *policy.Policy) { p.Files.Read = []string{"/srv/data"} }, script()),
		"a limit":          digest(func(p *policy.Policy) { p.Limits.Output++ }, script()),
		"an errno":         digest(func(p *policy.Policy) { p.Network.Errno = "ECONNREFUSED" }, script()),
	} {
		if seen[now] != "" {
			t.Errorf("%s has the digest of %s", name, seen[now])
		}
		seen[now] = name
	}
}
