package main

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// client.py is a host of the Python package.
//
//go:embed client.py
var clientSource string

// freshSource is the whole of a host that asks for one value.
const freshSource = "import sys\nfrom pysandbox import Sandbox\nSandbox(python=sys.executable).eval('1 + 1')"

// bootPolicy has a rule that refuses nothing which is there, so that what it adds
// is the guest's bootstrap alone.
const bootPolicy = `{"version": 1, "extends": "strict", "python": {"modules": {"deny": ["no_such_module"]}}}`

// pythonSide measures the client and the guest of the Python packages. Bare is
// `python3 -c "1 + 1"`, which is what the first value of a sandbox is compared to.
func pythonSide(r *results, field []contender, plan roundPlan) error {
	side, err := newSide(field)
	if err != nil {
		return err
	}
	defer side.remove()
	order := drawn()
	for round := range plan.coldWarmup + plan.coldRounds {
		if err := side.starts(r, order.Perm(4), round >= plan.coldWarmup); err != nil {
			return err
		}
	}
	for range plan.generations {
		if err := side.generation(r, plan.turns); err != nil {
			return err
		}
	}
	return nil
}

// side is what the stage runs: an interpreter, a binary and a directory for
// policies and compiled Python.
type side struct {
	python, binary, scratch string
	env                     []string
}

func newSide(field []contender) (*side, error) {
	scratch, err := os.MkdirTemp("", "pysandbox-bench-")
	if err != nil {
		return nil, err
	}
	packages, err := filepath.Abs("cpython-shim/python")
	if err != nil {
		return nil, err
	}
	s := &side{scratch: scratch}
	for _, contender := range field {
		switch cmd := contender.command(); contender.name {
		case bare:
			s.python = cmd.Path
		case pysandbox:
			s.binary = cmd.Path
		}
	}
	s.env = append(os.Environ(),
		"PYTHONPATH="+packages, "PYSANDBOX_BINARY="+s.binary,
		// As an installed package has it: compiled once.
		"PYTHONPYCACHEPREFIX="+filepath.Join(scratch, "compiled"), "PYTHONDONTWRITEBYTECODE=")
	for name, text := range map[string]string{"plain.json": `{"version": 1, "extends": "strict"}`, "boot.json": bootPolicy} {
		if err := os.WriteFile(filepath.Join(scratch, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *side) remove() { _ = os.RemoveAll(s.scratch) }

// starts measures what is a process of its own, four in an order.
func (s *side) starts(r *results, order []int, counts bool) error {
	exec := func(policy string) []string {
		return []string{s.binary, "exec", "--quiet", "--python", s.python, "--policy", filepath.Join(s.scratch, policy), "-c", "1 + 1"}
	}
	commands := [4][]string{
		{s.python, "-c", "1 + 1"}, {s.python, "-c", freshSource}, exec("plain.json"), exec("boot.json"),
	}
	var took [len(commands)]float64
	for _, i := range order {
		elapsed, err := s.time(commands[i])
		if err != nil {
			return err
		}
		took[i] = elapsed
	}
	if counts {
		r.add(bare, evalFresh, took[0])
		r.add(bare, evalImported, took[0])
		r.add(pysandbox, evalFresh, took[1])
		r.add(pysandbox, bootstrap, took[3]-took[2])
	}
	return nil
}

func (s *side) time(args []string) (float64, error) {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env, cmd.Stderr = s.env, os.Stderr
	begin := time.Now()
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("run %v: %w", args, err)
	}
	return float64(time.Since(begin).Nanoseconds()), nil
}

// generation starts a host anew and asks it for each measure.
func (s *side) generation(r *results, turns int) (err error) {
	host := contender{name: "the client", command: func(...string) *exec.Cmd {
		cmd := exec.Command(s.python, "-c", clientSource)
		cmd.Env = s.env
		return cmd
	}}
	guest, err := startGuest(host)
	if err != nil {
		return err
	}
	for range turns {
		for _, m := range []metric{evalImported, evalLive, capabilityCall, capabilityBulk} {
			values, err := guest.ask(m)
			if err != nil {
				return err
			}
			r.add(pysandbox, m, values...)
		}
	}
	return guest.stop()
}
