package seccomp

import "golang.org/x/sys/unix"

// setIDBits are the mode bits that lend a file's owner or group to whoever
// executes it. Through a writable bind they would outlive the sandbox.
const setIDBits = unix.S_ISUID | unix.S_ISGID

// makesFile are the flags of open(2) with which it reads its mode argument:
// O_CREAT and the bit that tells O_TMPFILE from O_DIRECTORY.
const makesFile = unix.O_CREAT | (unix.O_TMPFILE &^ unix.O_DIRECTORY)

// layerFilesWrite is making, changing and removing files. Mounts and Landlock
// decide where; without a writable place these calls fail by themselves.
func layerFilesWrite() layer {
	return layer{"files_write", "make, change and remove files", join(
		allow("names of files",
			"link", "linkat", "rename", "renameat", "renameat2", "rmdir", "symlink", "symlinkat",
			"unlink", "unlinkat"),
		allow("contents of files",
			"copy_file_range", "fallocate", "fdatasync", "flock", "fsync", "ftruncate", "sync",
			"sync_file_range", "syncfs", "truncate"),
		allow("owner and times of files",
			"chown", "fchown", "fchownat", "futimesat", "lchown", "utime", "utimensat", "utimes"),
		allow("extended attributes can be read",
			"fgetxattr", "flistxattr", "getxattr", "getxattrat", "lgetxattr", "listxattr",
			"listxattrat", "llistxattr"),
		modeWithoutSetID("chmod", 1),
		modeWithoutSetID("creat", 1),
		modeWithoutSetID("fchmod", 1),
		modeWithoutSetID("fchmodat", 2),
		modeWithoutSetID("fchmodat2", 2),
		modeWithoutSetID("mkdir", 1),
		modeWithoutSetID("mkdirat", 2),
		pipesOnly("mknod", 1),
		pipesOnly("mknodat", 2),
	)}
}

// modeWithoutSetID lets a call through when its mode has no set-id bit.
func modeWithoutSetID(call string, mode uint8) []Rule {
	return join(
		when(allow("a mode without set-id bits", call), noneOf(mode, setIDBits)),
		refuse("set-user-ID and set-group-ID bits would outlive the sandbox", unix.EPERM, call),
	)
}

// pipesOnly lets mknod(2) make named pipes and regular files; the kernel reads 16
// bits of the mode, and no type means a regular file.
func pipesOnly(call string, mode uint8) []Rule {
	const judged = unix.S_IFMT | setIDBits
	return join(
		when(allow("a named pipe", call), bitsAre(mode, judged, unix.S_IFIFO)),
		when(allow("a regular file", call), bitsAre(mode, judged, unix.S_IFREG)),
		when(allow("a regular file", call), bitsAre(mode, judged, 0)),
		refuse("only pipes and regular files, without set-id bits", unix.EPERM, call),
	)
}
