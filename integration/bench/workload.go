package main

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
)

// workload.py runs inside every contender that has measures, and answers for one
// measure at a time.
//
//go:embed workload.py
var workloadSource string

// localMeasures need nothing of the network.
func localMeasures() []metric { return []metric{untrapped, computation} }

// networkMeasures need the peer of the world.
func networkMeasures() []metric {
	return []metric{trapped, allowed, crowded, loopback, inFlight, lookup, roundTrip, throughput, datagram}
}

// guest is a contender in which workload.py waits for questions.
type guest struct {
	contender contender
	cmd       *exec.Cmd
	stdin     io.WriteCloser
	answers   *bufio.Reader
}

// workloads starts every contender anew in each generation, since two runs of one
// interpreter differ by how their memory happens to lie, and lets the contenders
// take turns at each measure.
func workloads(r *results, field []contender, plan roundPlan) error {
	for generation := range plan.generations {
		if err := runGeneration(r, field, plan.turns); err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "bench: generation %d of %d\n", generation+1, plan.generations)
	}
	return nil
}

func runGeneration(r *results, field []contender, turns int) (err error) {
	var guests []*guest
	defer func() {
		for _, guest := range guests {
			err = errors.Join(err, guest.stop())
		}
	}()
	for _, contender := range field {
		if len(contender.measures) == 0 {
			continue
		}
		guest, err := startGuest(contender)
		if err != nil {
			return err
		}
		guests = append(guests, guest)
	}
	for _, info := range metricTable() {
		asked := turns
		if info.slow {
			asked = 2
		}
		for turn := range asked {
			for i := range guests {
				guest := guests[(i+turn)%len(guests)]
				if !slices.Contains(guest.contender.measures, info.metric) {
					continue
				}
				values, err := guest.ask(info.metric)
				if err != nil {
					return err
				}
				r.add(guest.contender.name, info.metric, values...)
			}
		}
	}
	return nil
}

func startGuest(contender contender) (*guest, error) {
	cmd := contender.command("-I", "-S", "-c", workloadSource)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", contender.name, err)
	}
	return &guest{contender, cmd, stdin, bufio.NewReader(stdout)}, nil
}

func (g *guest) ask(m metric) (samples, error) {
	if _, err := fmt.Fprintln(g.stdin, m); err != nil {
		return nil, fmt.Errorf("ask %s for %s: %w", g.contender.name, m, err)
	}
	line, err := g.answers.ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("wait for %s of %s: %w", m, g.contender.name, err)
	}
	var values samples
	if err := json.Unmarshal(line, &values); err != nil {
		return nil, fmt.Errorf("read %s of %s: %w", m, g.contender.name, err)
	}
	return values, nil
}

// stop ends the guest by the end of its input.
func (g *guest) stop() error {
	err := g.stdin.Close()
	if waitErr := g.cmd.Wait(); waitErr != nil {
		return fmt.Errorf("end %s: %w", g.contender.name, waitErr)
	}
	return err
}
