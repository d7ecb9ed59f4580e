package plan

import (
	"maps"
	"slices"

	"github.com/pysandbox/pysandbox/namespaces"
)

// compileLandlock returns the rules that do not depend on the host: the
// sandbox's own places, and the operator's paths as they were written. Listing
// is permitted everywhere, since the tree holds only what is visible anyway.
// namespaces.ProbePath is named by no rule, so its content stays refused.
func (p *Plan) compileLandlock() namespaces.Landlock {
	tmp := namespaces.RightsReadWrite
	if p.Files.TmpExec {
		tmp |= namespaces.RightExecute
	}
	rules := []namespaces.LandlockPath{
		{Path: "/", Rights: namespaces.RightsList},
		{Path: "/dev", Rights: namespaces.RightsDevices},
		{Path: "/dev/shm", Rights: namespaces.RightsReadWrite},
		{Path: "/etc", Rights: namespaces.RightsReadOnly},
		{Path: home, Rights: namespaces.RightsReadWrite},
		{Path: "/proc", Rights: namespaces.RightsReadOnly},
		{Path: "/sys", Rights: namespaces.RightsReadOnly},
		{Path: "/tmp", Rights: tmp},
	}
	if p.Command.Guest {
		rules = append(rules, namespaces.LandlockPath{Path: guestDirectory, Rights: namespaces.RightsReadOnly})
	}
	user := p.paths()
	for _, name := range slices.Sorted(maps.Keys(user)) {
		rules = append(rules, namespaces.LandlockPath{Path: name, Rights: user[name].rights()})
	}
	if p.Command.Script != "" {
		rules = append(rules, namespaces.LandlockPath{Path: p.Command.Script, Rights: namespaces.RightsReadOnly})
	}
	return namespaces.Landlock{Paths: rules}
}
