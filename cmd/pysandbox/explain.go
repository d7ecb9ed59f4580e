package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pysandbox/pysandbox/internal/host"
	"github.com/pysandbox/pysandbox/plan"
	"github.com/pysandbox/pysandbox/policy"
)

func newExplain(u *ui, _ *int) *cobra.Command {
	var (
		program programFlags
		layer   policyFlags
		results resultFlags
		format  = "text"
	)
	cmd := &cobra.Command{
		Use:     "explain [flags] [SCRIPT | -c CODE | -m MODULE | -- COMMAND [args]]",
		Short:   "Show what a policy amounts to on this host, and what enforces it",
		Long:    explainLong,
		Example: explainExample,
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			inv, err := program.invocation(cmd, args)
			if err != nil {
				return err
			}
			return explain(u, format, &layer, inv, results.named(policy.ReadEnvironment(os.LookupEnv)))
		},
		DisableFlagsInUseLine: true,
	}
	cmd.Flags().Var((*text)(&format), "format", "print as `FORMAT`: "+strings.Join(formats(), ", "))
	layer.register(cmd.Flags())
	program.register(cmd.Flags())
	cmd.Flags().Var((*file)(&results.report), flagReport, "taken as by exec, which alone writes `FILE`")
	cmd.Flags().Var((*file)(&results.audit), flagAudit, "taken as by exec, which alone writes `FILE`")
	cmd.Flags().BoolVarP(&u.quiet, "quiet", "q", false, "say nothing but the plan, and why there is none")
	return cmd
}

const explainLong = `Show the plan that exec would enforce for the same flags, each line with the
layer that enforces it: the kernel's namespaces, Landlock or filter, or the
supervisor. Nothing is run, and no report or audit trail is written.

The formats are text for people, json for the whole plan, oci for its portable
half as the config.json of an OCI bundle with ids from 100000 on, which enforces less,
and bpf for the system call filter as the kernel gets it.`

const explainExample = `  pysandbox explain --preset=http-only
  pysandbox explain --policy=job.toml --format=json job.py
  pysandbox explain --format=oci > bundle/config.json`

const formatOCI = "oci"

func formats() []string { return []string{"text", "json", formatOCI, "bpf"} }

// explain prints what the invocation would run under, with its account in kept.
func explain(u *ui, format string, layer *policyFlags, inv plan.Invocation, kept []account) error {
	print, known := printers()[format]
	if !known {
		return misuse("one of "+strings.Join(formats(), ", "), "--format: %q is no format", format)
	}
	resolved, pol, err := resolve(layer, inv, kept, lookAround())
	if err != nil {
		return err
	}
	all, told := explainWarnings(resolved, pol)
	text, err := print(explained{resolved, all, told})
	if err != nil {
		return err
	}
	if format == formatOCI {
		u.warnings([]string{plan.OCINote})
	}
	return u.printf("%s", text)
}

// explained is a resolved plan with the warnings about it, each with its place. told
// are those that exec would say, of what somebody asked for and does not get.
type explained struct {
	*plan.Resolved
	warnings, told []string
}

func printers() map[string]func(explained) (string, error) {
	return map[string]func(explained) (string, error){
		"text":    func(e explained) (string, error) { return explainText(e), nil },
		"json":    explainJSON,
		formatOCI: explainOCI,
		"bpf":     func(e explained) (string, error) { return e.Filter.Disassemble(), nil },
	}
}

// explainJSON is the whole resolved plan; the setup has one line for each
// operation.
func explainJSON(r explained) (string, error) {
	return indented(struct {
		Version     int              `json:"version"`
		Tier        string           `json:"tier"`
		Interpreter host.Interpreter `json:"interpreter"`
		Environment []string         `json:"environment"`
		Setup       []string         `json:"setup"`
		Warnings    []string         `json:"warnings"`
		Told        []string         `json:"exec_warnings"`
		Plan        *plan.Plan       `json:"plan"`
	}{
		plan.Version, r.Tier, r.Interpreter, r.Environment(), strings.Split(strings.TrimSpace(r.Setup.String()), "\n"),
		r.warnings, r.told, r.Plan,
	})
}

// explainWarnings are all warnings, and those that exec would say. Each is a list in JSON,
// also if empty.
func explainWarnings(r *plan.Resolved, p *policy.Policy) (all, told []string) {
	all = append(append([]string{}, policy.Unread(r.Plan.Invocation.Env)...), slips(p)...)
	warnings := warningsOf(r)
	wishes, _ := concerned(warnings, p)
	told = append(slices.Clone(all), wishes...)
	for _, warning := range warnings {
		all = append(all, p.Origins.Locate(warning).Error())
	}
	return all, told
}

// firstSubordinate is where useradd(8) begins to give out subordinate ids
// (SUB_UID_MIN of login.defs(5)); the reader of a bundle replaces it by their own.
const firstSubordinate = 100_000

func explainOCI(r explained) (string, error) {
	config, err := r.OCI(firstSubordinate, firstSubordinate)
	return string(config), err
}

func indented(value any) (string, error) {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return "", fmt.Errorf("encode the plan: %w", err)
	}
	return string(text) + "\n", nil
}
