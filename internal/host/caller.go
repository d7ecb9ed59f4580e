package host

import (
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Caller is who asks for an interpreter or a program. Names are looked up as
// the caller's shell would, and what another user could have planted is refused.
type Caller struct {
	UID       int               // effective user id; root and this user are trusted owners
	Directory string            // working directory, absolute
	Env       map[string]string // PATH, HOME and the variables of pyenv and uv are read
}

// absolute returns path from the caller's point of view.
func (c Caller) absolute(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(c.Directory, path)
}

// searchPath returns the directories of PATH, or the system's when PATH is not
// set. Relative and empty entries are left out: they would let the working
// directory choose the program.
func (c Caller) searchPath() []string {
	path, set := c.Env["PATH"]
	if !set {
		path = "/usr/local/bin:/usr/bin:/bin"
	}
	var dirs []string
	for dir := range strings.SplitSeq(path, ":") {
		if filepath.IsAbs(dir) {
			dirs = append(dirs, filepath.Clean(dir))
		}
	}
	return dirs
}

// trusts says whether a file of this owner is the caller's own or the system's.
func (c Caller) trusts(uid uint32) bool {
	return uid == systemOwner() || int(uid) == c.UID
}

// systemOwner is the uid that the system's files have, as seen from here: that of
// the root directory. It is 0, but for a user namespace in which root has no
// number, as unshare(1) and bwrap(1) make them: there root and every other user
// without one appear as the overflow uid (user_namespaces(7)), and trusting only
// 0 would leave no interpreter at all.
func systemOwner() uint32 {
	var root unix.Stat_t
	if err := unix.Stat("/", &root); err != nil {
		return 0
	}
	return root.Uid
}
