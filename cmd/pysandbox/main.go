// The runtime would look at the control group's CPU quota now and then, to choose how
// many threads to use. The supervisor needs few.

//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0

// Command pysandbox runs Python programs in a sandbox. This package reads the
// command line, prints, and turns results into exit statuses; it holds no
// sandbox logic and must not decide what a program may do.
package main

import (
	"errors"
	"os"
	"runtime"

	"github.com/spf13/pflag"
)

func main() {
	growStack(false)
	u := &ui{out: os.Stdout, err: os.Stderr}
	os.Exit(execute(u, os.Args[1:]))
}

// growStack lets the stack of its caller grow to what a start needs, in one step and
// while there is little on it: step by step it takes the runtime a tenth of a
// millisecond. A function with a large frame does that, whether it uses it or not.
//
//go:noinline
func growStack(use bool) {
	if use {
		var frame [stackOfStart]byte
		runtime.KeepAlive(&frame)
	}
}

const stackOfStart = 40 << 10 // bytes

// execute runs one command line, without the name of the program, and returns
// the exit status.
func execute(u *ui, args []string) int {
	status := 0
	root := newRoot(u, &status, args)
	err := root.Execute()
	if _, before := errors.AsType[*pflag.NotExistError](err); before { // the command
		err = flagError(root, err)
	}
	if err != nil {
		u.failure(err)
		return failureStatus(err)
	}
	return status
}
