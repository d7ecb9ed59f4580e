package plan

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/pysandbox/pysandbox/internal/host"
)

// checkLinks refuses links on the way to what the operator named that the program of
// an earlier run may have made: such a link would show this one what nobody named.
// What the program may write belongs to its owner, who is often the caller, so that
// the place of a link tells more than its owner does.
func (v *view) checkLinks(p *Plan, h *Host) error {
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(p.paths())) {
		if err := v.plantedLink(h.Paths[name]); err != nil {
			problems = append(problems, wrong(p.fileKey(func(n string) bool { return n == name }), "%s: %w", name, err))
		}
	}
	for _, name := range p.Network.Unix {
		if err := v.plantedLink(h.Paths[name]); err != nil {
			problems = append(problems, about("network.unix", slices.Index(p.Network.Unix, name), fmt.Errorf("%s: %w", name, err)))
		}
	}
	if script := h.Paths[p.Command.Script]; p.showsScript(script) {
		if err := v.plantedLink(script); err != nil {
			problems = append(problems, fmt.Errorf("the script %s: %w", p.Command.Script, err))
		}
	}
	return errors.Join(problems...)
}

// plantedLink says which link on the way to a path is not to be followed, and why.
func (v *view) plantedLink(found host.Path) error {
	if found.Planted != nil && found.Real == "" {
		return fmt.Errorf("%w; it is not followed", found.Planted)
	}
	if found.Planted != nil {
		return fmt.Errorf("%w; name %s itself", found.Planted, found.Real)
	}
	for _, link := range found.Links {
		for dir, have := range v.user {
			if have.write && isSameOrBelow(link.Path, dir) {
				return fmt.Errorf("the link %s lies in %s, where the program may make links; name %s itself", link.Path, dir, found.Real)
			}
		}
	}
	return nil
}
