package policy

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/pysandbox/pysandbox/configs"
	"github.com/pysandbox/pysandbox/policy/document"
)

const schemaFile = "../configs/policy.schema.json"

func TestSchemaIsGenerated(t *testing.T) {
	schema, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, schemaFile, schema)
}

func compileSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	text, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("policy.schema.json", parsed); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("policy.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// general turns a document into what the validator takes.
func general(n *document.Node) any {
	switch n.Kind {
	case document.String:
		return n.Text
	case document.Integer:
		return n.Integer
	case document.Float:
		return n.Float
	case document.Boolean:
		return n.Boolean
	case document.Array:
		items := []any{}
		for _, item := range n.Items {
			items = append(items, general(item))
		}
		return items
	case document.Table:
		table := map[string]any{}
		for _, entry := range n.Entries {
			table[entry.Key] = general(entry.Value)
		}
		return table
	default:
		return nil
	}
}

func TestPresetsFollowTheSchema(t *testing.T) {
	schema := compileSchema(t)
	for _, name := range configs.Names() {
		text, _ := configs.Read(name)
		root, errs := document.Parse(name+".toml", text)
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		if err := schema.Validate(general(root)); err != nil {
			t.Errorf("preset %s: %v", name, err)
		}
	}
}

// TestStrictHasEverySetting: the base of every policy leaves nothing unsaid, so
// that one file shows all defaults.
func TestStrictHasEverySetting(t *testing.T) {
	text, _ := configs.Read(configs.Default)
	root, _ := document.Parse("strict.toml", text)
	for _, s := range settings() {
		node := root
		for part := range strings.SplitSeq(s.key, ".") {
			entry, found := node.Get(part)
			if !found {
				if s.key != "process.cwd" { // its default is no value
					t.Errorf("strict.toml does not set %s", s.key)
				}
				break
			}
			node = entry.Value
		}
	}
}

// TestSchemaAgreesWithLoad: the valid files of testdata satisfy the schema, and
// mistakes that a schema can see do not.
func TestSchemaAgreesWithLoad(t *testing.T) {
	schema := compileSchema(t)
	files, err := filepath.Glob("testdata/valid/*.*")
	if err != nil || len(files) == 0 {
		t.Fatal("no valid policies in testdata", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		root, errs := document.Parse(file, text)
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		if err := schema.Validate(general(root)); err != nil {
			t.Errorf("%s is valid, the schema says %v", file, err)
		}
	}
	for _, text := range []string{
		`{}`,
		`{"version": 2}`,
		`{"version": 1, "extends": ["strict"]}`,
		`{"version": 1, "netvork": {}}`,
		`{"version": 1, "limits": {"memory": "12 parsecs"}}`,
		`{"version": 1, "limits": {"memory": 0}}`,
		`{"version": 1, "limits": {"wall": 10}}`,
		`{"version": 1, "limits": {"pids": "64"}}`,
		`{"version": 1, "limits": {"best_effort": ["tmp_size"]}}`,
		`{"version": 1, "network": {"allow": "tcp://*:80"}}`,
		`{"version": 1, "network": {"host_loopback": ["sctp:6379"]}}`,
		`{"version": 1, "env": {"set": {"A": 1}}}`,
		`{"version": 1, "replace": {"limits": {"memory": "1G"}}}`,
	} {
		root, _ := document.Parse("x.json", []byte(text))
		if schema.Validate(general(root)) == nil {
			t.Errorf("the schema accepts %s", text)
		}
	}
}
