package host

// Path is what stands at a path that a policy or a command line names.
type Path struct {
	Real   string // without symlinks; empty if nothing is there
	Links  []Link // the symlinks on the way, in order
	Dir    bool
	Socket bool
	Owner  uint32 // uid
	Err    error  // why Real is empty
}

// LookPaths looks at absolute paths. Every path has an entry in the result.
func LookPaths(paths []string) map[string]Path {
	t := newTree()
	found := make(map[string]Path, len(paths))
	for _, path := range paths {
		at, err := t.walk(path)
		if err != nil {
			found[path] = Path{Err: err}
			continue
		}
		found[path] = Path{Real: at.path, Links: at.via, Dir: at.isDir(), Socket: at.isSocket(), Owner: at.stat.Uid}
	}
	return found
}
