package seccomp

import "golang.org/x/sys/unix"

// namespaceFlags are the CLONE_NEW* flags that clone(2) knows. CLONE_NEWTIME lies
// in the bits that clone reads as the exit signal.
const namespaceFlags = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC |
	unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET

// judgedFlags are the flags of clone(2) that decide what it may make. A thread
// with its own table of descriptors would make an fd number mean two things, a
// parent set by CLONE_PARENT would be the sandbox's first process.
const judgedFlags = namespaceFlags | unix.CLONE_VM | unix.CLONE_VFORK | unix.CLONE_FILES |
	unix.CLONE_THREAD | unix.CLONE_PTRACE | unix.CLONE_PARENT

// layerThreads is threading, concurrent.futures and every library with a pool of
// threads. clone3(2) is refused in every filter, so that libc falls back to
// clone(2), whose flags are in a register.
func layerThreads(t *table) {
	t.allowIf("a thread that shares memory and descriptors", "clone",
		bitsAre(0, judgedFlags, unix.CLONE_VM|unix.CLONE_FILES|unix.CLONE_THREAD))
}
