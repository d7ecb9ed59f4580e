// Command pysandbox runs Python programs in a sandbox. This package reads the
// command line, prints, and turns results into exit statuses; it holds no
// sandbox logic and must not decide what a program may do.
package main

import (
	"os"
)

func main() {
	u := &ui{in: os.Stdin, out: os.Stdout, err: os.Stderr}
	os.Exit(execute(u, os.Args[1:]))
}

// execute runs one command line, without the name of the program, and returns
// the exit status.
func execute(u *ui, args []string) int {
	status := 0
	if err := newRoot(u, &status, args).Execute(); err != nil {
		u.failure(err)
		return failureStatus(err)
	}
	return status
}
