package policy

import (
	"bytes"
	"encoding/json"
	"maps"
	"strings"

	"github.com/pysandbox/pysandbox/configs"
)

// Schema is the JSON Schema (draft 2020-12) of a policy, as it is shipped in
// configs/policy.schema.json. Editors use it for TOML and JSON alike. It knows
// less than Load: that refuses more, and is what decides.
func Schema() ([]byte, error) {
	root := object("A policy of pysandbox.")
	properties := root["properties"].(map[string]any)
	for _, s := range settings() {
		place(root, s)
	}
	replace := object("Lists and tables that take the place of those of the extended policy, instead of adding to them.")
	for _, s := range settings() {
		if s.form.collects() {
			place(replace, s)
		}
	}
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "pysandbox policy"
	root["required"] = []string{"version"}
	properties["$schema"] = map[string]any{"type": "string"}
	properties["version"] = map[string]any{"const": 1, "description": "The version of the policy language."}
	properties["extends"] = map[string]any{
		"type": "string", "minLength": 1,
		"description": "The policy that this one adds to: a preset (" + strings.Join(configs.Names(), ", ") + "), or the path of a file.",
	}
	properties["replace"] = replace

	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(root)
	return text.Bytes(), err
}

func object(description string) map[string]any {
	return map[string]any{
		"type": "object", "description": description, "additionalProperties": false, "properties": map[string]any{},
	}
}

// place puts a setting into the object of its table, making tables on the way.
func place(root map[string]any, s setting) {
	parts := strings.Split(s.key, ".")
	properties := root["properties"].(map[string]any)
	for i, part := range parts[:len(parts)-1] {
		if properties[part] == nil {
			properties[part] = object("The settings of [" + strings.Join(parts[:i+1], ".") + "].")
		}
		properties = properties[part].(map[string]any)["properties"].(map[string]any)
	}
	schema := maps.Clone(s.form.schema())
	schema["description"] = s.doc
	properties[parts[len(parts)-1]] = schema
}
