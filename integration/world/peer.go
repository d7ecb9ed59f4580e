package world

import (
	"fmt"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// Peer is another host as far as the kernel can tell: a thread in a network namespace
// of its own. What is opened on the thread is the peer's.
type Peer struct {
	calls  chan func()
	thread int
}

// NewPeer makes a peer, which ends with the process.
func NewPeer() (*Peer, error) {
	p := &Peer{calls: make(chan func())}
	began := make(chan error)
	go p.serve(began)
	return p, <-began
}

func (p *Peer) serve(began chan<- error) {
	runtime.LockOSThread() // never unlocked: the thread is in another network
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		began <- fmt.Errorf("make the peer's network namespace: %w", err)
		return
	}
	p.thread = unix.Gettid()
	began <- nil
	for call := range p.calls {
		call()
	}
}

// Do runs a function on the peer's thread and waits for it.
func (p *Peer) Do(call func() error) error {
	result := make(chan error)
	p.calls <- func() { result <- call() }
	return <-result
}

// Plug lays a cable, of which both ends are called veth0, and sets up either side by
// commands of ip(8).
func (p *Peer) Plug(here, there []string) error {
	cable := "link add veth0 type veth peer name veth0 netns " + strconv.Itoa(p.thread)
	if err := IP("link set lo up", cable); err != nil {
		return err
	}
	err := p.Do(func() error { return IP(append([]string{"link set lo up"}, there...)...) })
	if err != nil {
		return fmt.Errorf("at the peer: %w", err)
	}
	return IP(here...)
}
