// Package namespaces turns a description of namespaces, mounts, Landlock
// rules, limits and a process into the list of setup operations that the stage
// (cpython-shim) runs in the cloned child. It knows nothing of policy and makes
// no system calls.
package namespaces

// OpCode names a setup operation. Numbers are shared with cpython-shim/wire.h.
type OpCode uint16

// The setup operations, in the order in which they may appear. Operations up to
// OpSpawn run in PID 1; those after it run in the program's process, before
// execve.
const (
	OpInvalid         OpCode = iota
	OpMkdir                  // S1 path, N1 mode; creates parents
	OpFile                   // S1 path, Data content, N1 mode; creates parents
	OpSymlink                // S1 path, S2 link text
	OpBind                   // S1 host path or "" for donated fd N1, S2 path inside; flags
	OpTmpfs                  // S1 path, N1 bytes, N2 inodes, N3 mode; flags
	OpProc                   // S1 path; Data: NUL-separated names at its top level that stay visible
	OpDevpts                 // S1 path
	OpPivot                  // leave the host's tree for good
	OpRootReadOnly           // seal the root tmpfs
	OpCgroupNS               // unshare the cgroup namespace (the parent has moved us)
	OpRlimit                 // N1 resource, N2 soft, N3 hard
	OpNoNewPrivs             //
	OpDropCaps               // bounding, ambient, permitted, effective, inheritable: all empty
	OpLandlock               // N1 handled fs rights, N2 handled net rights, N3 scopes
	OpLandlockPath           // S1 path, or "" for donated fd N2; N1 rights
	OpLandlockEnforce        //
	OpSpawn                  // vfork the program's process
	OpStdio                  // N1, N2, N3: donated fds that become 0, 1, 2; FlagTTY
	OpPassFD                 // N1 donated fd, N2 number inside
	OpChdir                  // S1 path
	OpProbe                  // S1 path that Landlock must refuse to open for reading
	OpFilter                 // Data: []sock_filter, N1 SECCOMP_FILTER_FLAG_*
	OpExec                   // S1 path, Data: argv then envp, each NUL-terminated; N1 argc, N2 envc
	OpSocket                 // N1 domain, N2 type, N3 protocol: made in the network namespace, sent to the supervisor
	OpLocalRoutes            // every address is local to lo (AnyIP), so that the supervisor's sockets can answer for it
	OpJoinGroup              // wait for the message with the cgroup.procs files and enter by them
	OpReceiveFDs             // wait for the message with N1 more donated fds
	OpCount                  // the number of codes
)

// Flags of operations.
const (
	FlagReadOnly    uint16 = 1 << iota // bind, tmpfs
	FlagNoExec                         // bind, tmpfs
	FlagDev                            // bind: device nodes work
	FlagTTY                            // stdio: fd N1 is a pty slave that becomes the controlling terminal
	FlagNoSymfollow                    // bind: the kernel follows no symlink below it
	FlagKeep                           // socket: it is donated too, under the next number
	FlagPin                            // bind: S2 is what is at S2 already, of host path S1; it can be renamed no more
)

// Op is one setup operation. The meaning of the fields stands at its OpCode.
type Op struct {
	Code       OpCode
	Flags      uint16
	S1, S2     string
	Data       []byte
	N1, N2, N3 uint64
}

// Program is a complete, ordered list of setup operations.
type Program []Op
