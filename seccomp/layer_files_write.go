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
func layerFilesWrite(t *table) {
	t.allow("names of files",
		"link", "linkat", "rename", "renameat", "rmdir", "symlink", "symlinkat", "unlink",
		"unlinkat")
	t.allowIf("a rename that leaves nothing behind", "renameat2", noneOf(4, unix.RENAME_WHITEOUT))
	t.refuse("a whiteout is a device", unix.EPERM, "renameat2")
	t.allow("contents of files",
		"copy_file_range", "fdatasync", "flock", "fsync", "ftruncate", "sync",
		"sync_file_range", "syncfs", "truncate")
	reserveRoom(t)
	t.allow("directories; mkdir(2) ignores set-id bits", "mkdir", "mkdirat")
	t.allow("times of files", "futimesat", "utime", "utimensat", "utimes")
	ownIDs(t, "an owner that a file has already", "chown", 1, 2)
	ownIDs(t, "an owner that a file has already", "fchown", 1, 2)
	ownIDs(t, "an owner that a file has already", "fchownat", 2, 3)
	ownIDs(t, "an owner that a file has already", "lchown", 1, 2)
	t.allow("extended attributes can be read",
		"fgetxattr", "flistxattr", "getxattr", "getxattrat", "lgetxattr", "listxattr", "listxattrat",
		"llistxattr")
	withoutSetID(t, "chmod", 1)
	withoutSetID(t, "creat", 1)
	withoutSetID(t, "fchmod", 1)
	withoutSetID(t, "fchmodat", 2)
	withoutSetID(t, "fchmodat2", 2)
	pipesOnly(t, "mknod", 1)
	pipesOnly(t, "mknodat", 2)
}

// reserveRoom keeps fallocate(2) to the size of a file, which is limited (setrlimit(2),
// RLIMIT_FSIZE). Room behind its end is not: most file systems of disks give as much as
// there is. Holes are made with the same flag.
func reserveRoom(t *table) {
	t.allowEach("room within the size of a file, and holes", "fallocate", 1,
		0, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, unix.FALLOC_FL_ZERO_RANGE,
		unix.FALLOC_FL_COLLAPSE_RANGE, unix.FALLOC_FL_INSERT_RANGE, unix.FALLOC_FL_UNSHARE_RANGE)
	t.refuseQuietly("room behind the end of a file has no limit", unix.EOPNOTSUPP, "fallocate")
}

// withoutSetID lets a call through when its mode has no set-id bit.
func withoutSetID(t *table, call string, mode uint8) {
	t.allowIf("a mode without set-id bits", call, noneOf(mode, setIDBits))
	t.refuse("set-user-ID and set-group-ID bits would outlive the sandbox", unix.EPERM, call)
}

// pipesOnly lets mknod(2) make named pipes and regular files; the kernel reads 16
// bits of the mode, and no type means a regular file.
func pipesOnly(t *table, call string, mode uint8) {
	const judged = unix.S_IFMT | setIDBits
	t.allowIf("a named pipe", call, bitsAre(mode, judged, unix.S_IFIFO))
	t.allowIf("a regular file", call, bitsAre(mode, judged, unix.S_IFREG))
	t.allowIf("a regular file", call, bitsAre(mode, judged, 0))
	t.refuse("only pipes and regular files, without set-id bits", unix.EPERM, call)
}
