package plan

import (
	"errors"

	"github.com/pysandbox/pysandbox/policy"
)

// mostBinds is how many mounts of the host's files the supervisor opens for the
// stage, as root does: PSB_MAX_DONATED (cpython-shim/wire.h) without what else is
// donated.
const mostBinds = 960

// checkCount refuses more mounts than can be made. Where the policy names many
// paths, they are the reason.
func (v *view) checkCount(p *Plan, h *Host) error {
	count := len(v.tree.Binds)
	if !h.Facts.Root || count <= mostBinds {
		return nil
	}
	const text = "the sandbox would be made of %d mounts, and as root at most %d can be made; "
	longest, list := len(p.Files.Read), "files.read"
	if len(p.Files.Write) > longest {
		longest, list = len(p.Files.Write), "files.write"
	}
	if len(p.Files.Exec) > longest {
		longest, list = len(p.Files.Exec), "files.exec"
	}
	switch {
	case 2*longest > count:
		return wrong(policy.Item(list, longest-1), text+"name directories instead of what is in them", count, mostBinds)
	case hasModuleRules(p.Python):
		return wrong(moduleKey(p.Python), text+"name fewer modules", count, mostBinds)
	default:
		return errors.New("too many files are needed to run the program; name fewer programs in process.spawn and files.exec")
	}
}
