package supervisor

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// Stdio connects the program's descriptors 0, 1 and 2 with the caller's, which
// the program must not hold itself: what was opened for appending it could open
// again for writing, through /proc/self/fd, and a terminal it could type on.
//
//	caller's                                     program's
//	closed                                       /dev/null
//	stdin: /dev/null, pipe or file for reading   the same
//	stdin: anything else                         a pipe, pumped
//	stdout, stderr                               a pipe, pumped; one pipe for both
//	                                             if both are the same (2>&1)
//	any of them: a terminal                      the pty of Terminal
type Stdio struct {
	Child    [3]*os.File // to donate; CloseChild closes them
	Terminal *Terminal   // nil if the caller has none

	terminals int32   // bit i: Child[i] only stands for the terminal, which the stage makes
	screen    *target // where the terminal's output goes, until attach
	outputs   []*output
	input     *input
	stop      *event // gives up on targets
	stopIn    *event // ends the input pump
	budget    budget
	pumps     sync.WaitGroup
	spare     []*os.File // opened here, or given to the child
}

// OpenStdio looks at the caller's descriptors and makes what the program gets in
// their place, owned by uid and gid; a negative uid leaves the owner. It must be
// called with the rights of the caller, before a privileged supervisor changes
// its uid.
func OpenStdio(caller [3]int, uid, gid int) (*Stdio, error) {
	s := &Stdio{}
	if err := s.open(caller, uid, gid); err != nil {
		s.Close()
		return nil, fmt.Errorf("connect standard input and output: %w", err)
	}
	return s, nil
}

func (s *Stdio) open(caller [3]int, uid, gid int) error {
	var err error
	if s.stop, err = newEvent(); err != nil {
		return err
	}
	if s.stopIn, err = newEvent(); err != nil {
		return err
	}
	var d [3]descriptor
	for i, fd := range caller {
		if d[i], err = describe(fd); err != nil {
			return err
		}
	}
	if err := s.openTerminal(d); err != nil {
		return err
	}
	if err := s.openInput(d[0], uid, gid); err != nil {
		return err
	}
	if err := s.openOutput(1, d[1], uid, gid); err != nil {
		return err
	}
	if d[2].same(d[1]) {
		s.Child[2] = s.Child[1]
		s.terminals |= s.terminals & 2 << 1
		return nil
	}
	return s.openOutput(2, d[2], uid, gid)
}

// openTerminal gets ready for the pty if one of d is a terminal. What the program
// writes there goes to the first terminal among standard output, error and input.
func (s *Stdio) openTerminal(d [3]descriptor) error {
	input := d[0].kind == kindTerminal
	var out descriptor
	for _, i := range []int{0, 2, 1} {
		if d[i].kind == kindTerminal {
			out = d[i]
		}
	}
	if out.kind != kindTerminal {
		return nil
	}
	real := out.fd
	if input {
		real = d[0].fd
	}
	pipeline := false
	for _, o := range d[1:] {
		pipeline = pipeline || o.kind == kindPipe || o.kind == kindSocket
	}
	var err error
	if s.Terminal, err = openTerminal(real, input, input && pipeline); err != nil {
		return err
	}
	s.screen = newTarget(out, s.stop)
	return nil
}

// attach takes the master of the terminal that the stage has made, and owns it.
func (s *Stdio) attach(master int) error {
	if s.screen == nil {
		_ = unix.Close(master)
		return errors.New("connect the terminal: the stage made one that nobody asked for")
	}
	t := s.Terminal
	o := newOutput(master, true, s.screen, &s.budget)
	if t.input {
		o.cooked = func() bool { return !t.isRaw() }
	}
	s.outputs, s.screen = append(s.outputs, o), nil
	return t.attach(master)
}

// standIn is what the stage gets in the place of the terminal that it makes.
func (s *Stdio) standIn(i int) error {
	s.terminals |= 1 << i
	return s.openNull(i)
}

func (s *Stdio) openInput(d descriptor, uid, gid int) error {
	switch {
	case d.kind == kindTerminal:
		return s.standIn(0)
	case d.kind == kindClosed:
		return s.openNull(0)
	case d.kind == kindNull, d.readOnly() && (d.kind == kindPipe || d.kind == kindFile):
		own, err := unix.FcntlInt(uintptr(d.fd), unix.F_DUPFD_CLOEXEC, 3)
		if err != nil {
			return fmt.Errorf("duplicate descriptor %d: %w", d.fd, err)
		}
		s.give(0, os.NewFile(uintptr(own), "stdin"))
		return nil
	}
	ours, theirs, err := newPipe(uid, gid, false)
	if err != nil {
		return err
	}
	s.give(0, theirs)
	s.input = &input{source: d.fd, fd: ours, stop: s.stopIn}
	return nil
}

func (s *Stdio) openOutput(i int, d descriptor, uid, gid int) error {
	switch d.kind {
	case kindTerminal:
		return s.standIn(i)
	case kindClosed:
		return s.openNull(i)
	default:
	}
	ours, theirs, err := newPipe(uid, gid, true)
	if err != nil {
		return err
	}
	s.give(i, theirs)
	s.outputs = append(s.outputs, newOutput(ours, false, newTarget(d, s.stop), &s.budget))
	return nil
}

func (s *Stdio) openNull(i int) error {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("stand in for the closed descriptor %d: %w", i, err)
	}
	s.give(i, null)
	return nil
}

func (s *Stdio) give(i int, file *os.File) {
	s.Child[i] = file
	s.spare = append(s.spare, file)
}

// Controlling is true if the program's standard input is a terminal, which
// should become the controlling terminal of its session.
func (s *Stdio) Controlling() bool { return s.Terminal != nil && s.Terminal.input }

// CloseChild closes our copies of the program's descriptors. Until then the end
// of the program's output cannot be seen.
func (s *Stdio) CloseChild() {
	for _, file := range s.spare {
		_ = file.Close()
	}
	s.spare = nil
}
