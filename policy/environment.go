package policy

// Environment is what pysandbox takes from variables of the caller. Nothing else
// named PYSANDBOX_* is read, so that the environment never widens a policy.
type Environment struct {
	Policy string // PYSANDBOX_POLICY, the file of --policy
	Preset string // PYSANDBOX_PRESET, the name of --preset
	Python string // PYSANDBOX_PYTHON, the interpreter of --python
	Report string // PYSANDBOX_REPORT, the file of --report
	Audit  string // PYSANDBOX_AUDIT, the file of --audit
	Binary string // PYSANDBOX_BINARY, where the host's client finds pysandbox
}

const (
	variablePolicy = "PYSANDBOX_POLICY"
	variablePreset = "PYSANDBOX_PRESET"
	variablePython = "PYSANDBOX_PYTHON"
	variableReport = "PYSANDBOX_REPORT"
	variableAudit  = "PYSANDBOX_AUDIT"
	variableBinary = "PYSANDBOX_BINARY"
)

// ReadEnvironment reads the variables with lookup, such as os.LookupEnv; nil
// means that there are none.
func ReadEnvironment(lookup func(string) (string, bool)) Environment {
	get := func(name string) string {
		if lookup == nil {
			return ""
		}
		value, _ := lookup(name)
		return value
	}
	return Environment{
		Policy: get(variablePolicy),
		Preset: get(variablePreset),
		Python: get(variablePython),
		Report: get(variableReport),
		Audit:  get(variableAudit),
		Binary: get(variableBinary),
	}
}

// used names the variables that are in force beside the flags given.
func (e Environment) used(o Options) []string {
	var names []string
	for _, variable := range []struct {
		name, value, flag string
	}{
		{variablePolicy, e.Policy, o.File},
		{variablePreset, e.Preset, o.Preset},
		{variablePython, e.Python, o.Overrides.Python},
		{variableReport, e.Report, ""},
		{variableAudit, e.Audit, ""},
		{variableBinary, e.Binary, ""},
	} {
		if variable.value != "" && variable.flag == "" {
			names = append(names, variable.name)
		}
	}
	return names
}
