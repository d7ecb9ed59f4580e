package seccomp

import (
	"slices"
	"sync"
)

// knownCall is one row of the table of system calls.
type knownCall struct {
	number int32
	name   string
}

// Number returns the number of a system call on x86-64, and false for a name that
// the tables of this build do not have.
func Number(name string) (int32, bool) {
	number, known := numbersByName()[name]
	return number, known
}

// numbersByName is made at its first use: a run with a shipped filter has none.
var numbersByName = sync.OnceValue(func() map[string]int32 {
	numbers := make(map[string]int32, len(knownCalls))
	for _, call := range knownCalls {
		numbers[call.name] = call.number
	}
	return numbers
})

// Name returns the name of a system call on x86-64, and "" for a number that the
// tables of this build do not have.
func Name(number int32) string {
	i, found := slices.BinarySearchFunc(knownCalls[:], number, func(call knownCall, n int32) int {
		return int(call.number) - int(n)
	})
	if !found {
		return ""
	}
	return knownCalls[i].name
}

// Numbers returns the number of every known call, in ascending order.
func Numbers() []int32 {
	numbers := make([]int32, 0, len(knownCalls))
	for _, call := range knownCalls {
		numbers = append(numbers, call.number)
	}
	return numbers
}

// callNames returns the name of every known call.
func callNames() []string {
	names := make([]string, 0, len(knownCalls))
	for _, call := range knownCalls {
		names = append(names, call.name)
	}
	return names
}
