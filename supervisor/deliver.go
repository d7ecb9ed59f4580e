package supervisor

import (
	"errors"
	"slices"

	shim "github.com/pysandbox/pysandbox/cpython-shim"
	"github.com/pysandbox/pysandbox/namespaces"
)

// deliver gives the stage the plan with what it needs to run it, unless it has the
// same already. It must be called with the rights of the caller.
func (s *sandbox) deliver() error {
	sources, err := s.prepare()
	if err != nil {
		return err
	}
	encoded, err := s.place().Encode()
	if err != nil {
		return err
	}
	made := memo(sources, encoded)
	if !s.child.recalled(made) {
		if err := s.sendPlan(sources, encoded); err != nil {
			return err
		}
		if s.listeners() == 0 { // else it has more to donate with the plan than sources
			s.child.keep(made)
		}
	}
	s.stdio.CloseChild()
	return nil
}

// prepare makes the setup of this run. It returns the sources to open and donate
// behind s.direct, in the order in which operations name them.
func (s *sandbox) prepare() (sources []source, err error) {
	if s.ports, err = openPorts(s.plan.Plan, s.options.where); err != nil {
		return nil, err
	}
	if err = s.takePassed(); err != nil {
		return nil, err
	}
	if s.setup, err = s.ownSetup(); err != nil {
		return nil, err
	}
	first := stdioCount
	donated := stdioCount + len(s.direct)
	if s.child.lease != nil {
		if s.setup, sources, err = listSources(s.plan, s.setup, donated); err != nil {
			return nil, err
		}
	}
	if len(s.direct) == 0 { // the stage makes the listeners, and keeps them behind all else
		first = donated + len(sources)
	}
	if err = s.openChannel(donated + len(sources)); err != nil {
		return nil, err
	}
	err = s.passListeners(first)
	if last := len(s.setup) - 1; err == nil && (last < 0 || s.setup[last].Code != namespaces.OpExec) {
		err = errors.New("the plan does not end with the program's start")
	}
	return sources, err
}

// place is the setup without what the program is, which goes with the word to go:
// the rest is the same for every program that runs in the same way.
func (s *sandbox) place() namespaces.Program {
	return append(slices.Clone(s.setup[:len(s.setup)-1]), namespaces.Op{Code: namespaces.OpExec})
}

// sendPlan opens the sources and sends everything. A stage that runs another plan
// gives way to a new one.
func (s *sandbox) sendPlan(sources []source, encoded []byte) error {
	if s.child.recall.Sent {
		if err := s.child.again(); err != nil {
			return err
		}
		s.offer.again()
		if err := s.child.sendStdio(s.stdio); err != nil {
			return err
		}
	}
	opened, err := shim.OpenSources(sources, s.child.uid)
	if err != nil {
		return err
	}
	defer closeAll(opened)
	return s.child.control.sendPlan(encoded, slices.Concat(s.direct, opened))
}
