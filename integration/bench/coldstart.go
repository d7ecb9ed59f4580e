package main

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// roundPlan says how often things are measured.
type roundPlan struct {
	coldRounds   int // starts of each contender
	coldWarmup   int // starts before that, thrown away
	generations  int // runs of workload.py in each contender
	turns        int // answers for each measure in one run
	memoryRounds int
}

func fullPlan() roundPlan {
	return roundPlan{coldRounds: 200, coldWarmup: 10, generations: 5, turns: 20, memoryRounds: 5}
}

func quickPlan() roundPlan {
	return roundPlan{coldRounds: 40, coldWarmup: 5, generations: 2, turns: 10, memoryRounds: 1}
}

// drawn gives orders, the same ones in each run.
func drawn() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

// coldStart starts every contender once in each round, so that a slow moment of
// the machine falls on all of them. The order is drawn anew for each round: the
// kernel takes down the namespaces of one while the next starts, so that none may
// always follow the same neighbour.
func coldStart(r *results, field []contender, plan roundPlan) error {
	field = sandboxes(field)
	order := drawn()
	for round := range plan.coldWarmup + plan.coldRounds {
		for _, i := range order.Perm(len(field)) {
			contender := field[i]
			cmd := contender.command("-I", "-S", "-c", "pass")
			begin := time.Now()
			err := cmd.Run()
			elapsed := time.Since(begin)
			if err != nil {
				return fmt.Errorf("run %v: %w", cmd.Args, err)
			}
			if round >= plan.coldWarmup {
				r.add(contender.name, coldStartTime, float64(elapsed.Nanoseconds()))
			}
		}
	}
	return nil
}
