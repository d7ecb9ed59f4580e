package plan

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/pysandbox/pysandbox/namespaces"
)

// LinkAnnotation begins the name of an annotation that holds the text of a
// symlink, which OCI mounts cannot make: the bundle's root must have it at the
// path that follows the prefix. The dynamic loader is usually behind one.
const LinkAnnotation = "org.pysandbox.link:"

// An OCI runtime enforces less than the supervisor, which OCINote says in the
// annotation of the name NoteAnnotation.
const (
	NoteAnnotation = "org.pysandbox.note"
	OCINote        = "a runtime enforces less than pysandbox: it knows no rules of the network, so that no " +
		"connection leaves the container, refuses what the supervisor would decide, and has no Landlock; " +
		"the bundle's root needs the symbolic links that the annotations " + LinkAnnotation + "PATH name"
)

// mappedIDs is the size of a range in /etc/subuid, as useradd(8) gives it out.
const mappedIDs = 65536

// OCI returns the portable half of the plan as the config.json of a bundle, with
// the interpreter and the operator's paths where this host has them. The bundle's
// root is an empty directory with the links that the annotations name. Runtimes
// set up as root of the container, so the ids from 0 on are mapped to the host's
// from firstUID and firstGID on, as in /etc/subuid.
//
// An OCI runtime enforces less than the supervisor: it knows no network rules, so
// connections end in an empty network namespace, and a call that the supervisor
// would decide is refused (compileSeccomp). Landlock is missing.
func (r *Resolved) OCI(firstUID, firstGID uint32) ([]byte, error) {
	spec := *r.Plan.Spec
	process, linux := *spec.Process, *spec.Linux
	spec.Process, spec.Linux = &process, &linux
	spec.Annotations = maps.Clone(spec.Annotations)
	if spec.Annotations == nil {
		spec.Annotations = make(map[string]string)
	}
	spec.Annotations[NoteAnnotation] = OCINote
	linux.UIDMappings = []specs.LinuxIDMapping{{ContainerID: 0, HostID: firstUID, Size: mappedIDs}}
	linux.GIDMappings = []specs.LinuxIDMapping{{ContainerID: 0, HostID: firstGID, Size: mappedIDs}}
	linux.Seccomp = compileSeccomp(r.Plan.Filter)
	spec.Mounts = r.Plan.fixedMounts()
	process.Rlimits = nil
	for _, op := range r.Setup {
		switch op.Code {
		case namespaces.OpBind:
			spec.Mounts = append(spec.Mounts, bindMount(op.S1, op.S2, op.Flags))
		case namespaces.OpSymlink:
			spec.Annotations[LinkAnnotation+op.S1] = op.S2
		case namespaces.OpRlimit:
			process.Rlimits = append(process.Rlimits, specs.POSIXRlimit{
				Type: namespaces.RlimitName(op.N1), Soft: op.N2, Hard: op.N3,
			})
		case namespaces.OpChdir:
			process.Cwd = op.S1
		case namespaces.OpExec:
			process.Args, process.Env = op.ExecArgs()
		default:
		}
	}
	slices.SortStableFunc(spec.Mounts, compareMounts)
	text, err := json.MarshalIndent(&spec, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode the OCI config: %w", err)
	}
	return append(text, '\n'), nil
}

// compareMounts orders parents before what is mounted below them.
func compareMounts(a, b specs.Mount) int {
	return namespaces.ComparePaths(a.Destination, b.Destination)
}
