package main

import (
	"net/netip"

	"github.com/pysandbox/pysandbox/internal/host"
	"github.com/pysandbox/pysandbox/supervisor"
)

// surroundings are the facts of this host that no policy changes.
type surroundings struct {
	facts     host.Facts
	groups    supervisor.CgroupPlace
	addresses []netip.Addr
	err       error
}

// lookAround begins to gather the surroundings beside the caller, who reads the
// policy meanwhile, and returns a function that waits for them.
func lookAround() func() *surroundings {
	found := make(chan *surroundings, 1)
	go func() {
		s := &surroundings{groups: supervisor.FindCgroup(), facts: host.Probe()}
		s.addresses, s.err = host.Addresses()
		found <- s
	}()
	return func() *surroundings {
		s := <-found
		found <- s
		return s
	}
}
