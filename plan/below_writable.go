package plan

import (
	"fmt"
	"maps"
	"slices"

	"github.com/pysandbox/pysandbox/internal/host"
	"github.com/pysandbox/pysandbox/policy"
)

// BelowWritable lists the paths of files.read and files.exec, and the script, that lie
// below what may be written, as they were written, sorted. Landlock permits what any
// rule on the way up permits (landlock(7)), so there the mount alone is read-only, and
// such a mount still lets named pipes be written. found has an entry for each path of
// HostPaths.
func (p *Plan) BelowWritable(found map[string]host.Path) []string {
	places := p.writablePlaces(found)
	var names []string
	for name, have := range p.paths() {
		if real := found[name].Real; !have.write && !slices.Contains(places, real) && belowAny(real, places) {
			names = append(names, name)
		}
	}
	if script := found[p.Command.Script]; p.showsScript(script) && belowAny(script.Real, places) {
		names = append(names, p.Command.Script)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// writablePlaces are real paths.
func (p *Plan) writablePlaces(found map[string]host.Path) []string {
	places := []string{home, "/tmp", "/dev/shm"}
	for _, name := range p.Files.Write {
		places = append(places, found[name].Real)
	}
	return places
}

// byMountOnly adds to BelowWritable the paths of the interpreter's that lie there.
func (p *Plan) byMountOnly(h *Host) []string {
	names, places := p.BelowWritable(h.Paths), p.writablePlaces(h.Paths)
	for _, b := range h.Interpreter.Binds {
		if belowAny(b.Path, places) {
			names = append(names, b.Path)
		}
	}
	return names
}

// pipeWarnings are about named pipes that a path to be read gives away.
func pipeWarnings(p *Plan, h *Host) []*policy.Problem {
	var warnings []*policy.Problem
	for _, name := range slices.Sorted(maps.Keys(h.Pipes)) {
		warnings = append(warnings, &policy.Problem{
			Key: p.fileKey(func(n string) bool { return n == name }),
			Err: fmt.Errorf("%s is a named pipe, and the program can write to it, because %s lies below a place that it may write; "+
				"move one of them elsewhere", h.Pipes[name], name),
		})
	}
	return warnings
}
