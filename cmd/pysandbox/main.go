// The runtime would read /proc/self/mountinfo and the control group's CPU quota
// at every start, and again now and then, to choose how many threads to use. The
// supervisor needs few, and its start is what users wait for.

//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0

// Command pysandbox runs Python programs in a sandbox. This package reads the
// command line, prints, and turns results into exit statuses; it holds no
// sandbox logic and must not decide what a program may do.
package main

import (
	"errors"
	"os"

	"github.com/spf13/pflag"
)

func main() {
	u := &ui{out: os.Stdout, err: os.Stderr}
	os.Exit(execute(u, os.Args[1:]))
}

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
