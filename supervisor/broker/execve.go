package broker

import (
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/audit"
	"github.com/pysandbox/pysandbox/internal/errnos"
)

// execve answers execve(2) and execveat(2). Which files exist and which may be
// executed is for mounts and Landlock to say, on the file itself; what is refused
// here is refused with a reason. The first call is the stage's own.
func (b *Broker) execve(req *request) recheckedReply {
	if !b.execed {
		b.execed = true
		return continueUnder(mountsAndLandlock)
	}
	file, errno := b.readExec(req)
	if errno != 0 {
		return denied(errno)
	}
	if _, errno := b.caller(req); errno != 0 {
		return denied(errno)
	}
	return recheckedReply{reply: b.offloadCall(req, func() recheckedReply { return b.explainExec(req, file) })}
}

// executable is the file argument of execve or execveat.
type executable struct {
	name string // as given
	base string // what a relative name starts from: "cwd" or "fd/N"
}

func (b *Broker) readExec(req *request) (executable, syscall.Errno) {
	file, name := executable{base: "cwd"}, req.Args[0]
	if req.Syscall == unix.SYS_EXECVEAT {
		if dir := int(int32(req.Args[0])); dir != unix.AT_FDCWD {
			file.base = "fd/" + strconv.Itoa(dir)
		}
		name = req.Args[1]
	}
	var errno syscall.Errno
	file.name, errno = b.copyString(req, name, unix.PathMax)
	return file, errno
}

// explainExec decides whether there is something to explain. It runs in the
// pool: the file systems behind a path may be slow.
func (b *Broker) explainExec(req *request, file executable) recheckedReply {
	tid := int(req.PID)
	fd, errno := b.openExec(tid, file)
	if errno != 0 {
		if !isSystemProgram(file.name) {
			return continueUnder(mountsAndLandlock) // the kernel knows the errno
		}
		return b.refuseExec(req, file.name)
	}
	defer unix.Close(fd)
	resolved, err := os.Readlink(procFD(fd))
	if err != nil {
		resolved = file.name
	}
	if !b.config.Spawn.permits(resolved) && !b.config.Spawn.permits(path.Clean(file.name)) && !isItself(tid, fd) {
		return b.refuseExec(req, resolved)
	}
	req.record = b.entry(req, audit.Allow, "execve", resolved, ruleSpawn)
	return continueUnder(mountsAndLandlock)
}

func (b *Broker) openExec(tid int, file executable) (int, syscall.Errno) {
	if file.name == "" { // AT_EMPTY_PATH
		fd, err := unix.Open("/proc/"+strconv.Itoa(tid)+"/"+file.base, unix.O_PATH|unix.O_CLOEXEC, 0)
		return fd, errnos.Of(err)
	}
	return b.tree.resolve(tid, file.base, file.name)
}

func (b *Broker) refuseExec(req *request, file string) recheckedReply {
	req.record = b.denial(req, "execve", file, ruleSpawn)
	req.record.Hint = spawnHint(file)
	return denied(unix.EACCES)
}

// permits reports whether a file is one of the named programs or below one of
// the named directories.
func (s Spawn) permits(file string) bool {
	return s.Any || slices.ContainsFunc(s.Paths, func(p string) bool {
		return file == p || strings.HasPrefix(file, strings.TrimSuffix(p, "/")+"/")
	})
}

// isItself reports whether a file is the one that the caller runs already, as
// when multiprocessing starts another interpreter.
func isItself(tid, fd int) bool {
	var own, other unix.Stat_t
	return unix.Stat("/proc/"+strconv.Itoa(tid)+"/exe", &own) == nil && unix.Fstat(fd, &other) == nil &&
		own.Dev == other.Dev && own.Ino == other.Ino
}

// isSystemProgram reports whether a path that the sandbox does not see is a
// program in one of the system's directories. Only these are looked up: for
// others the answer would tell the sandbox what files the host has.
func isSystemProgram(file string) bool {
	switch path.Dir(file) {
	case "/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin":
	default:
		return false
	}
	info, err := os.Stat(file)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}
