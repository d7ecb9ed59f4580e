package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	shim "github.com/pysandbox/pysandbox/cpython-shim"
	"github.com/pysandbox/pysandbox/internal/host"
	"github.com/pysandbox/pysandbox/plan"
	"github.com/pysandbox/pysandbox/supervisor"
)

func newDoctor(u *ui, status *int) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor [--json]",
		Short: "Show what this host offers, and how to get what it lacks",
		Long:  doctorLong,
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			found, err := diagnose()
			if err != nil {
				return err
			}
			if found.Tier != plan.TierFull {
				*status = statusMissing
			}
			if asJSON {
				text, err := json.MarshalIndent(found, "", "  ")
				if err != nil {
					return fmt.Errorf("encode the findings: %w", err)
				}
				return u.printf("%s\n", text)
			}
			return u.printf("%s", found.text())
		},
		DisableFlagsInUseLine: true,
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return cmd
}

// statusMissing is the exit status when the full tier is not available.
const statusMissing = 1

const doctorLong = `Try every kernel feature that a sandbox needs, tier by tier, as this user on this
host, and print the exact fix for what is missing. The exit status is 0 when the
full tier is available and 1 when it is not.`

// findings are what doctor tells. Their JSON form is stable within a version.
type findings struct {
	Version int          `json:"version"`
	Tier    string       `json:"tier"` // the strongest that is available, or empty
	Checks  []host.Check `json:"checks"`
}

func diagnose() (findings, error) {
	directory, err := workingDirectory()
	if err != nil {
		return findings{}, err
	}
	program, err := os.Executable()
	if err != nil {
		return findings{}, fmt.Errorf("find the path of this program: %w", err)
	}
	groups := supervisor.FindCgroup()
	checks := host.Diagnose(host.Examination{
		Limits: host.GroupLimits{
			Place: "cgroup " + groups.Kind, Memory: groups.Memory, Pids: groups.Pids, CPU: groups.Quota, Reason: groups.Reason,
		},
		Caller:     host.Caller{UID: os.Geteuid(), Directory: directory, Env: environment(os.Environ())},
		Program:    program,
		LeaseFirst: shim.LeaseFirst,
		LeaseCount: shim.LeaseCount,
	})
	return findings{Version: 1, Tier: host.AvailableTier(checks), Checks: checks}, nil
}

// text is one line for each tier, then one for each check in aligned columns,
// with the fix below what is missing.
func (f findings) text() string {
	var out strings.Builder
	for _, tier := range tierNames() {
		fmt.Fprintf(&out, "%-10s %s\n", tier, f.tierState(tier))
	}
	out.WriteString("\n")
	nameWidth, tierWidth, lastFix := 0, 0, ""
	for _, c := range f.Checks {
		nameWidth = max(nameWidth, len(c.Name))
		tierWidth = max(tierWidth, len(neededBy(c)))
	}
	var told host.Check // the last one that was told to be missing, in full
	for _, c := range f.Checks {
		state, about := "ok", c.Found
		switch {
		case !c.OK && c.Missing == told.Missing:
			state, about = "missing", "as the "+told.Name+" is"
		case !c.OK:
			state, about, told = "missing", c.Missing, c
		}
		fmt.Fprintf(&out, "%-*s  %-*s  %-7s  %s\n", nameWidth, c.Name, tierWidth, neededBy(c), state, escape(about))
		if !c.OK && c.Fix != "" && c.Fix != lastFix {
			lastFix = c.Fix
			fmt.Fprintf(&out, "%-*s  %-*s  fix:     %s\n", nameWidth, "", tierWidth, "", escape(c.Fix))
		}
	}
	return out.String()
}

func tierNames() []string { return []string{plan.TierFull, plan.TierContainer, plan.TierMinimal} }

// tierState says whether this host offers a tier, and otherwise what it lacks.
func (f findings) tierState(tier string) string {
	var lacking []string
	for _, c := range f.Checks {
		if !c.OK && slices.Contains(c.Tiers, tier) {
			lacking = append(lacking, c.Name)
		}
	}
	if len(lacking) > 0 {
		return "missing: " + strings.Join(lacking, ", ")
	}
	if !plan.Built(tier) {
		return "ok on this host, but not available in this version"
	}
	return "ok"
}

// neededBy names the tiers that need a check; what no tier needs is a limit.
func neededBy(c host.Check) string {
	switch {
	case len(c.Tiers) == 0:
		return "limits"
	case len(c.Tiers) == len(tierNames()):
		return "all tiers"
	default:
		return strings.Join(c.Tiers, ", ")
	}
}
