package supervisor

import (
	"errors"

	"golang.org/x/sys/unix"
)

// Beginning is a sandbox that has no plan yet: its first process is there, and
// has standard input and output. It was made before the policy was read, so that
// the stage can go on meanwhile.
type Beginning struct {
	child *child
	stdio *Stdio
	err   error // why there is none; the outcome of the run that it was for
}

// Begin takes the process that was cloned before the Go runtime started, or starts
// one, and connects it with the caller's descriptors 0, 1 and 2. It must be called
// with the rights of the caller. Close it, or give it to Run.
func Begin(stdio [3]int) *Beginning {
	b := &Beginning{}
	if b.child, b.err = beginChild(); b.err != nil {
		return b
	}
	owner := -1
	if b.child.lease != nil {
		owner = b.child.uid
	}
	if b.stdio, b.err = OpenStdio(stdio, owner, owner); b.err == nil {
		b.err = b.child.sendStdio(b.stdio)
	}
	return b
}

// sendStdio donates the first three descriptors, and says which of them the stage
// is to replace by a terminal. A stage that has failed is heard
// later, when its reason is read.
func (c *child) sendStdio(s *Stdio) error {
	var fds [stdioCount]int
	for i, file := range s.Child {
		fds[i] = int(file.Fd())
	}
	err := c.control.send(message{kind: msgStdio, a: s.terminals}, fds[:]...)
	if errors.Is(err, unix.EPIPE) || errors.Is(err, unix.ECONNRESET) {
		return nil
	}
	return err
}

// Close ends a sandbox for which there is no plan.
func (b *Beginning) Close() {
	if b.stdio != nil {
		b.stdio.Close()
	}
	if b.child != nil {
		b.child.kill()
		b.child.reap()
		b.child.close()
	}
	*b = Beginning{}
}
