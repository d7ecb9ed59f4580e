// Command bench measures pysandbox beside bare Python and beside every peer it
// finds, in one run on one machine, and prints one table with the project's
// budgets. Ratios and differences are what it is for: absolute times depend on
// the machine. It changes nothing outside the namespaces that it makes.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// insideVariable marks the run that stands in the network of integration/world.
const insideVariable = "PYSANDBOX_BENCH_INSIDE"

// options are the command line.
type options struct {
	binary string
	python string
	quick  bool
	json   string
	only   string
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) == 2 && os.Args[1] == "serve" {
		return serve()
	}
	var o options
	flag.StringVar(&o.binary, "binary", "bin/pysandbox", "the pysandbox to measure")
	flag.StringVar(&o.python, "python", "/usr/bin/python3", "the interpreter that every contender runs")
	flag.BoolVar(&o.quick, "quick", false, "a fifth of the rounds: a look, not a result")
	flag.StringVar(&o.json, "json", "", "also write the results to this file")
	flag.StringVar(&o.only, "only", "", "measure one stage alone: start, calls, memory or python")
	flag.Parse()
	if flag.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flag.Arg(0))
	}
	if known := []string{"", "start", "calls", "memory", "python"}; !slices.Contains(known, o.only) {
		return fmt.Errorf("unknown stage %q: -only takes start, calls, memory or python", o.only)
	}
	if os.Getenv(insideVariable) == "" {
		return enterWorld()
	}
	reusePorts()
	return measure(o)
}

// reusePorts lets a connection have the port of one that was closed a second ago, and
// not a minute: the connects of some contenders would take all that there are
// (tcp_tw_reuse in ip-sysctl). An ordinary user has fewer contenders and may not say so.
func reusePorts() {
	_ = os.WriteFile("/proc/sys/net/ipv4/tcp_tw_reuse", []byte("1"), 0)
}

// enterWorld runs this program again where a peer stands at 203.0.113.80.
func enterWorld() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	args := append([]string{"--peer", self + " serve", "--", self}, os.Args[1:]...)
	cmd := exec.Command("integration/world/run", args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), insideVariable+"=1")
	err = cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		os.Exit(exit.ExitCode())
	}
	return err
}

func measure(o options) error {
	binary, err := filepath.Abs(o.binary)
	if err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "pysandbox-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(scratch) }()

	field, err := contenders(binary, o.python, scratch)
	if err != nil {
		return err
	}
	plan := fullPlan()
	if o.quick {
		plan = quickPlan()
	}
	outcome := newResults(field)
	for _, stage := range []struct {
		name, what string
		run        func(*results, []contender, roundPlan) error
	}{
		{"start", "cold start of python3 -I -S -c pass", coldStart},
		{"calls", "calls, connections and computation", workloads},
		{"memory", "memory of a live sandbox", memory},
		{"python", "the Python packages", pythonSide},
	} {
		if o.only != "" && o.only != stage.name {
			continue
		}
		fmt.Fprintf(os.Stderr, "bench: measuring %s\n", stage.what)
		if err := stage.run(outcome, field, plan); err != nil {
			return fmt.Errorf("measure %s: %w", stage.what, err)
		}
	}
	rows := judge(outcome)
	if err := printTable(os.Stdout, rows); err != nil || o.json == "" {
		return err
	}
	text, err := json.MarshalIndent(rows, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(o.json, append(text, '\n'), 0o644)
}
