package main

import (
	"strings"

	"github.com/spf13/cobra"
)

func newExplain(u *ui, _ *int) *cobra.Command {
	var (
		program programFlags
		layer   policyFlags
		format  string
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
			return explain(u, format, &layer, inv)
		},
		DisableFlagsInUseLine: true,
	}
	cmd.Flags().StringVar(&format, "format", "text", "print as `FORMAT`: "+strings.Join(formats(), ", "))
	layer.register(cmd.Flags())
	program.register(cmd.Flags())
	return cmd
}

const explainLong = `Show the plan that exec would enforce for the same flags, each line with the
layer that enforces it: the kernel's namespaces, Landlock or filter, or the
supervisor. Nothing is run.

The formats are text for people, json for the whole plan, oci for its portable
half as the config.json of an OCI bundle, and bpf for the system call filter as
the kernel gets it.`

const explainExample = `  pysandbox explain --preset=http-only
  pysandbox explain --policy=job.toml --format=json job.py
  pysandbox explain --format=oci > bundle/config.json`

func formats() []string { return []string{"text", "json", "oci", "bpf"} }
