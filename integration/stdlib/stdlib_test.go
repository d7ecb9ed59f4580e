// Package stdlib runs CPython's own tests inside the sandbox: what is not forbidden
// works as if there were none.
package stdlib

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// atOnce is how many modules run at a time. Most of them wait for their own timers.
const atOnce = 8

// attempts are how often a test that passes bare may be run inside: a busy machine
// makes some that are about moments fail.
const attempts = 3

// fewestTests must pass bare, or the oracle says nothing.
const fewestTests = 2000

// TestStandardLibrary runs modules of CPython's test suite bare and inside: what passes
// there passes here, but for the differences that are by design.
func TestStandardLibrary(t *testing.T) {
	testenv.Need(t, testenv.UserNS, testenv.Landlock, testenv.Notify, testenv.PythonTests)
	python, err := testenv.PythonWithTests()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the tests of CPython %s at %s", python.Version, python.Path)
	places := []*place{bare(t, python)}
	for _, uid := range testenv.Users() {
		places = append(places, inside(t, python, uid))
	}
	results := runAll(t, places)
	passed := 0
	for _, result := range results[places[0]] {
		passed += len(result.passed())
	}
	if passed < fewestTests {
		t.Errorf("%d tests pass bare, fewer than %d: the oracle says little", passed, fewestTests)
	}
	for _, here := range places[1:] {
		t.Run(here.name, func(t *testing.T) {
			for _, module := range modules() {
				t.Run(module, func(t *testing.T) {
					compare(t, here, results[places[0]][module], results[here][module])
				})
			}
		})
	}
}

// runAll runs every module in every place.
func runAll(t *testing.T, places []*place) map[*place]map[string]result {
	t.Helper()
	results := make(map[*place]map[string]result)
	for _, p := range places {
		results[p] = make(map[string]result)
	}
	var group sync.WaitGroup
	var mutex sync.Mutex
	turns := make(chan struct{}, atOnce)
	for _, module := range modules() {
		for _, p := range places {
			turns <- struct{}{}
			group.Go(func() {
				got := p.run(t.Context(), []string{"test." + module})
				mutex.Lock()
				results[p][module] = got
				mutex.Unlock()
				<-turns
			})
		}
	}
	group.Wait()
	return results
}

// compare wants of what passes bare that it passes inside, now or when it is run again.
func compare(t *testing.T, here *place, control, got result) {
	t.Helper()
	if !control.ended {
		t.Fatalf("bare, it ends with %v in %s\n%s", control.err, control.last, control.stderr)
	}
	if !got.ended {
		t.Errorf("it ends with %v in %s\n%s", got.err, got.last, got.stderr)
	}
	differs := unlike(control, got)
	for range attempts - 1 {
		if len(differs) == 0 {
			return
		}
		again := here.run(t.Context(), slices.Sorted(maps.Keys(differs)))
		maps.DeleteFunc(differs, func(test string, _ outcome) bool { return again.tests[test].Outcome == passes })
	}
	for _, test := range slices.Sorted(maps.Keys(differs)) {
		t.Errorf("%s passes bare, inside it is %s:\n%s", test, differs[test].Outcome, differs[test].Detail)
	}
}

// unlike are the tests that pass bare, do not inside, and should.
func unlike(control, got result) map[string]outcome {
	differs := make(map[string]outcome)
	for _, test := range control.passed() {
		if end, there := got.tests[test]; end.Outcome != passes && !byDesign(test) {
			if !there {
				end = outcome{Outcome: "missing", Detail: fmt.Sprintf("the run ended with %v in %s", got.err, got.last)}
			}
			differs[test] = end
		}
	}
	return differs
}
