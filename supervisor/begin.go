package supervisor

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/plan"
)

// Beginning is a sandbox that has no plan yet: its first process is there, and
// has standard input and output. It was made before the policy was read, so that
// the stage can go on meanwhile.
type Beginning struct {
	child *child
	stdio *Stdio
	offer offer
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

// Ahead makes what the stage will wait for beside its plan, and sends it where the
// stage has begun with the plan of an earlier run already: what this host says to the
// new one takes time. It must be called with the rights of the caller.
func (b *Beginning) Ahead(p *plan.Plan, place CgroupPlace) {
	if b.err != nil || !b.child.recall.Sent {
		return
	}
	if b.err = b.offer.makeGroup(p, place, b.child); b.err == nil {
		b.err = b.offer.makeChannel(p)
	}
	if b.err == nil {
		b.err = b.offer.send(b.child)
	}
	if isGone(b.err) { // it runs another plan, or tells why it failed when it is asked
		b.err = nil
	}
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
	if isGone(err) {
		return nil
	}
	return err
}

// isGone is whether nothing could be sent because the stage has ended.
func isGone(err error) bool {
	return errors.Is(err, errSend) && (errors.Is(err, unix.EPIPE) || errors.Is(err, unix.ECONNRESET))
}

// Close ends a sandbox for which there is no plan.
func (b *Beginning) Close() {
	if b.stdio != nil {
		b.stdio.Close()
	}
	if b.child != nil {
		b.child.kill()
		b.child.reap()
		b.offer.takeBack()
		b.child.close()
	}
	*b = Beginning{}
}
