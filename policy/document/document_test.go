package document

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
)

// outline writes every key and value with its position, one a line.
func outline(n *Node, indent string) string {
	switch n.Kind {
	case Table:
		var b strings.Builder
		for _, e := range n.Entries {
			fmt.Fprintf(&b, "%s%d:%d %s = %s at %d:%d\n", indent, e.Position.Line, e.Position.Column, e.Key,
				scalar(e.Value), e.Value.Position.Line, e.Value.Position.Column)
			b.WriteString(outline(e.Value, indent+"  "))
		}
		return b.String()
	case Array:
		var b strings.Builder
		for _, item := range n.Items {
			fmt.Fprintf(&b, "%s- %s at %d:%d\n", indent, scalar(item), item.Position.Line, item.Position.Column)
			b.WriteString(outline(item, indent+"  "))
		}
		return b.String()
	default:
		return ""
	}
}

func scalar(n *Node) string {
	if n.Kind == String {
		return fmt.Sprintf("%q", n.Text)
	}
	if n.Kind == Boolean {
		return fmt.Sprint(n.Boolean)
	}
	if n.Text != "" {
		return n.Text
	}
	return n.Kind.String()
}

func TestTOMLPositions(t *testing.T) {
	const text = `version = 1
a.b = "x"   # comment
[network]
allow = [
  "one", 'two',
  "th\u0072ee",
]
dns = { names = 1_000, bytes = [ "64K" ] }
[[list]]
on = true
[[list]]
when = 1979-05-27
ratio = 0.5
`
	const want = `1:1 version = 1 at 1:11
2:1 a = a table at 2:1
  2:3 b = "x" at 2:7
3:2 network = a table at 3:2
  4:1 allow = a list at 4:9
    - "one" at 5:3
    - "two" at 5:10
    - "three" at 6:3
  8:1 dns = a table at 8:7
    8:9 names = 1_000 at 8:17
    8:24 bytes = a list at 8:32
      - "64K" at 8:34
9:3 list = a list at 9:3
  - a table at 9:3
    10:1 on = true at 10:6
  - a table at 11:3
    12:1 when = 1979-05-27 at 12:8
    13:1 ratio = 0.5 at 13:9
`
	root, errs := Parse("x.toml", []byte(text))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if got := outline(root, ""); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestJSONPositions(t *testing.T) {
	const text = `{
  "version": 1,
  "network": {"allow": ["one",
    "t\u0077o"], "deny": []},
  "ratio": 0.5, "on": true, "none": null
}
`
	const want = `2:3 version = 1 at 2:14
3:3 network = a table at 3:14
  3:15 allow = a list at 3:24
    - "one" at 3:25
    - "two" at 4:5
  4:18 deny = a list at 4:26
5:3 ratio = 0.5 at 5:12
5:17 on = true at 5:23
5:29 none = null at 5:37
`
	root, errs := Parse("x", []byte(text))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if got := outline(root, ""); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestOffset(t *testing.T) {
	root, _ := Parse("x.toml", []byte("a = \"abc\"\nb = \"\\u0061bc\"\nc = '''abc'''\n"))
	for key, want := range map[string]Position{"a": {1, 8}, "b": {2, 5}, "c": {3, 5}} {
		entry, _ := root.Get(key)
		if got := entry.Value.Offset(2); got != want {
			t.Errorf("offset 2 of %s is at %v, want %v", key, got, want)
		}
	}
	root, _ = Parse("x.json", []byte(`{"a": "abc", "b": "\u0061bc"}`))
	for key, want := range map[string]Position{"a": {1, 10}, "b": {1, 19}} {
		entry, _ := root.Get(key)
		if got := entry.Value.Offset(2); got != want {
			t.Errorf("offset 2 of JSON %s is at %v, want %v", key, got, want)
		}
	}
}

func TestErrors(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"x.toml", "a = 1\na = 2\nb = 3\nb = 4\n", []string{`2:1: "a" is already set on line 1`, `4:1: "b" is already set on line 3`}},
		{"x.toml", "[a]\n[a]\n", []string{`2:2: "a" is already set on line 1`}},
		{"x.toml", "a.b = 1\n[a]\n", []string{`2:2: "a" is already set on line 1`}},
		{"x.toml", "a = {b = 1}\na.c = 2\n", []string{`2:1: "a" is already set on line 1`}},
		{"x.toml", "[a.b.c]\n[a]\nb.d = 1\n", []string{`3:1: "b" is already set on line 1`}},
		{"x.toml", "a = {b = 1, b = 2}\n", []string{`1:13: "b" is already set on line 1`}},
		{"x.toml", "a = \n", []string{`1:5: not TOML: `}},
		{"x.toml", "a = 1\nb = \"x\n", []string{`2:7: not TOML: `}},
		{"x.toml", "a = 99999999999999999999\n", []string{`1:5: 99999999999999999999 does not fit in 64 bits`}},
		{"x.toml", "a", []string{`1:1: not TOML: `}},
		{"x.json", `{"a": 1, "a": 2}`, []string{`1:10: "a" is already set on line 1`}},
		{"x.json", `{"a": 1,}`, []string{`1:9: not JSON: `}},
		{"x.json", "{\"a\":\n 1", []string{`2:2: not JSON: unexpected end of JSON input`}},
		{"x.json", "{} {}", []string{`1:4: not JSON: invalid character '{' after top-level value`}},
		{"x.json", "{\"a\": \"\xff\"}", []string{`1:8: not JSON: invalid UTF-8`}},
		{"x.json", "", []string{`1:1: not JSON: unexpected end of JSON input`}},
		{"x.json", strings.Repeat("[", 1<<19), []string{`1:10001: not JSON: invalid character '[' exceeded max depth`}},
		{"x.json", `{"a": 99999999999999999999, "b": 1e999}`, []string{`1:7: 99999999999999999999 does not fit`, `1:34: 1e999 is out of range`}},
		{"x.toml", strings.Repeat(" ", MaxSize+1), []string{`1:1: a policy has at most 1 MiB`}},
	}
	for _, test := range tests {
		_, errs := Parse(test.name, []byte(test.text))
		shown := test.text[:min(len(test.text), 40)]
		if len(errs) != len(test.want) {
			t.Errorf("%q: errors %v, want %q", shown, errs, test.want)
			continue
		}
		for i, err := range errs {
			if !strings.HasPrefix(err.Error(), test.want[i]) {
				t.Errorf("%q: error %q, want %q", shown, err, test.want[i])
			}
		}
	}
}

// plain turns a tree into what a general decoder makes of the same text.
func plain(n *Node) any {
	switch n.Kind {
	case String:
		return n.Text
	case Integer:
		return n.Integer
	case Float:
		return n.Float
	case Boolean:
		return n.Boolean
	case Array:
		items := make([]any, 0, len(n.Items))
		for _, item := range n.Items {
			items = append(items, plain(item))
		}
		return items
	case Table:
		table := make(map[string]any, len(n.Entries))
		for _, entry := range n.Entries {
			table[entry.Key] = plain(entry.Value)
		}
		return table
	default:
		return nil
	}
}

// comparable makes a decoder's value comparable with plain's.
func comparable(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			v[key] = comparable(value)
		}
		return v
	case []any:
		for i, value := range v {
			v[i] = comparable(value)
		}
		return v
	case string, int64, bool:
		return v
	case float64:
		if math.IsNaN(v) {
			return nil
		}
		return v
	case json.Number:
		if integer, err := v.Int64(); err == nil {
			return integer
		}
		float, _ := v.Float64()
		return float
	default:
		return nil // times, null
	}
}

func hasTime(n *Node) bool {
	return n.Kind == Time || slices.ContainsFunc(n.Items, hasTime) ||
		slices.ContainsFunc(n.Entries, func(e Entry) bool { return hasTime(e.Value) })
}

// FuzzTOML holds the tree against go-toml's own decoder: the same texts are
// documents, and they say the same.
func FuzzTOML(f *testing.F) {
	for _, seed := range []string{
		"a = 1\n[b]\nc.d = 'x'\n[[e]]\n[e.f]\n[[e]]\n", "a = { b = [1, 2.5, { c = true }], d.e = 1 }", "[a.b.c]\n[a]\nb.d = 1",
		"[fruit]\napple.color = 'red'\n[fruit.apple.texture]\nsmooth = true", "a = [[1], [], [{}]]", "x = 0x1F\ny = nan\nz = 1979-05-27T07:32:00Z\n",
		"a.b=1\na.c=2\n[a.d]", "[[a]]\nb=1\n[[a.c]]\n", "a={b={c=1}}\n[a.b]", "\"\" = 1\n'' = 2",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		root, errs := Parse("x.toml", []byte(text))
		for _, err := range errs {
			if err.Position.Line < 1 || err.Position.Column < 1 || err.Message == "" {
				t.Fatalf("%q: error without position: %#v", text, err)
			}
		}
		if hasTime(root) {
			return // never a policy's value, so its digits are not checked
		}
		want := map[string]any{}
		err := toml.Unmarshal([]byte(text), &want)
		if (err == nil) != (len(errs) == 0) {
			t.Fatalf("%q: errors %v, go-toml says %v", text, errs, err)
		}
		if err != nil {
			return
		}
		if got := comparable(plain(root)); !reflect.DeepEqual(got, comparable(want)) {
			t.Fatalf("%q: %v, go-toml reads %v", text, got, want)
		}
	})
}

// FuzzJSON does the same with encoding/json, which accepts repeated keys.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{`{"a": [1, 2.5, {"b": null}], "c": "\u0064", "e": true}`, `{"a":1,"a":2}`, `[]`, `1`, `{"a":`, `{} x`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		root, errs := Parse("x.json", []byte(text))
		for _, err := range errs {
			if strings.HasPrefix(err.Message, "not JSON: ") && json.Valid([]byte(text)) &&
				!strings.Contains(err.Message, "UTF-8") {
				t.Fatalf("%q: %v", text, err)
			}
		}
		if len(errs) > 0 {
			return
		}
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.UseNumber()
		var want any
		if err := decoder.Decode(&want); err != nil {
			t.Fatalf("%q is accepted, encoding/json says %v", text, err)
		}
		if got := plain(root); !reflect.DeepEqual(got, comparable(want)) {
			t.Fatalf("%q: %v, encoding/json reads %v", text, got, want)
		}
	})
}
