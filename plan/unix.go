package plan

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"

	"github.com/pysandbox/pysandbox/policy"
)

// checkUnix refuses what in network.unix is no socket, and sockets that lie in what
// the program may write: it could put a link to any other socket of the host in their
// place, and the supervisor, which connects by the path, would follow it.
func (v *view) checkUnix(p *Plan, h *Host) error {
	var problems []error
	for i, name := range p.Network.Unix {
		if there := h.Paths[name]; there.Real != "" && !there.Socket {
			problems = append(problems, &policy.Problem{
				Key: policy.Item("network.unix", i),
				Err: fmt.Errorf("%s is no socket; name the socket itself", name),
			})
		}
		for _, dir := range slices.Sorted(maps.Keys(v.user)) {
			if v.user[dir].write && leadsBelow(name, dir, h) {
				problems = append(problems, &policy.Problem{
					Key:   policy.Item("network.unix", i),
					Other: p.fileKey(func(n string) bool { return h.Paths[n].Real == dir }),
					Err:   fmt.Errorf("%s lies in %s, where the program could put a link to another socket in its place; name a socket apart from files.write", name, dir),
				})
			}
		}
	}
	return errors.Join(problems...)
}

// unixWarnings are about sockets that are not there. A service may make its socket
// later, and does so anew each time it starts.
func unixWarnings(p *Plan, h *Host) []*policy.Problem {
	var warnings []*policy.Problem
	for i, name := range p.Network.Unix {
		if err := h.Paths[name].Err; err != nil {
			warnings = append(warnings, &policy.Problem{
				Key: policy.Item("network.unix", i),
				Err: fmt.Errorf("%w; connecting to it fails until it is there", err),
			})
		}
	}
	return warnings
}

// leadsBelow says whether a path, or what it or its directory leads to, lies in
// dir. The socket itself may be made later.
func leadsBelow(name, dir string, h *Host) bool {
	return slices.ContainsFunc([]string{name, h.Paths[name].Real, h.Paths[path.Dir(name)].Real}, func(at string) bool {
		return at != "" && isSameOrBelow(at, dir)
	})
}
