package host

// outward follows a symlink inside a tree of packages to what it names outside,
// such as the system's configuration of a package of the distribution. Only what
// is public is followed, and never to a directory that holds more than the
// package's own files.
func (b *builder) outward(path string) {
	found, err := b.tree.walk(path)
	if err != nil || b.permit(found) != nil {
		return
	}
	const deepEnough = 3 // "/usr/share/NAME"
	if found.isDir() && len(components(found.path)) < deepEnough {
		return
	}
	b.commit(found, false)
}
