package policy

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/configs"
	"github.com/pysandbox/pysandbox/internal/netrule"
	"github.com/pysandbox/pysandbox/policy/document"
)

// loadText reads a text as Load reads a file named name, which extends only
// presets.
func loadText(name, text string) (Policy, error) {
	r := newReader()
	root, mistakes := document.Parse(name, []byte(text))
	l := layer{name: name, key: name, dir: "/", root: root}
	for _, mistake := range mistakes {
		l.truncated = l.truncated || mistake.Syntax
		r.report(&Error{Message: mistake.Message}, mistake.Position)
	}
	if entry, found := root.Get("extends"); found && strings.ContainsAny(entry.Value.Text, "/.") {
		return Policy{}, errors.New("not read here")
	}
	for _, below := range r.chain(l) {
		r.layer(below)
	}
	r.finish()
	if err := join(r.errs); err != nil {
		return Policy{}, err
	}
	return *r.policy, nil
}

func addPolicies(f *testing.F) {
	f.Helper()
	for _, pattern := range []string{"testdata/valid/*.*", "testdata/errors/*.toml", "testdata/errors/*.json", "../configs/*.toml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatal("no seeds in", pattern)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(text))
		}
	}
}

// FuzzLoad holds that no text makes the loader panic, that each mistake has a
// place within the text and stands on one line, and that a policy that is
// accepted says the same in JSON.
func FuzzLoad(f *testing.F) {
	addPolicies(f)
	f.Fuzz(func(t *testing.T, text string) {
		p, err := loadText("x", text)
		if err != nil {
			checkMistakes(t, text, err)
			return
		}
		for _, rule := range append(p.Network.Rules.Allow, p.Network.Rules.Deny...) {
			if rule.ID == "" || rule.Origin == "" || rule.Kind == 0 {
				t.Fatalf("%q: rule %+v is not whole", text, rule)
			}
		}
		root, _ := document.Parse("x", []byte(text))
		if !finite(root) {
			return
		}
		encoded, err := json.Marshal(general(root))
		if err != nil {
			t.Fatal(err)
		}
		again, err := loadText("x.json", string(encoded))
		if err != nil {
			t.Fatalf("%q is accepted, as JSON it is not: %v\n%s", text, err, encoded)
		}
		if got, want := withoutOrigins(again), withoutOrigins(p); !reflect.DeepEqual(got, want) {
			t.Fatalf("%q reads as\n%+v, in JSON as\n%+v", text, want, got)
		}
	})
}

func checkMistakes(t *testing.T, text string, err error) {
	t.Helper()
	lines := strings.Count(text, "\n") + 1
	joined, isJoined := err.(interface{ Unwrap() []error })
	if !isJoined {
		return
	}
	if len(joined.Unwrap()) > maxErrors+1 {
		t.Fatalf("%q: %d errors", text, len(joined.Unwrap()))
	}
	for _, one := range joined.Unwrap() {
		if strings.ContainsAny(one.Error(), "\n\x1b") {
			t.Fatalf("%q: the message %q is not one plain line", text, one)
		}
		var mistake *Error
		if errors.As(one, &mistake) && mistake.File == "x" && (mistake.Line < 1 || mistake.Line > lines || mistake.Column < 1 || mistake.Message == "") {
			t.Fatalf("%q: %#v has no place", text, mistake)
		}
	}
}

// finite reports whether JSON can carry every number of a document.
func finite(n *document.Node) bool {
	if math.IsInf(n.Float, 0) || math.IsNaN(n.Float) {
		return false
	}
	for _, item := range n.Items {
		if !finite(item) {
			return false
		}
	}
	for _, entry := range n.Entries {
		if !finite(entry.Value) {
			return false
		}
	}
	return true
}

func withoutOrigins(p Policy) Policy {
	strip := func(rules []netrule.Rule) []netrule.Rule {
		var stripped []netrule.Rule
		for _, rule := range rules {
			rule.Origin = ""
			stripped = append(stripped, rule)
		}
		return stripped
	}
	p.Origins = nil
	p.Network.Rules.Allow, p.Network.Rules.Deny = strip(p.Network.Rules.Allow), strip(p.Network.Rules.Deny)
	return p
}

func BenchmarkLoad(b *testing.B) {
	for _, name := range configs.Names() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Load(Options{Preset: name}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
