package seccomp

import "slices"

// knownCall is one row of the table of system calls.
type knownCall struct {
	number int32
	name   string
}

// Number returns the number of a system call on x86-64, and false for a name that
// the tables of this build do not have.
func Number(name string) (int32, bool) {
	for _, call := range knownCalls {
		if call.name == name {
			return call.number, true
		}
	}
	return 0, false
}

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
