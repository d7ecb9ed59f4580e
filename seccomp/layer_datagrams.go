package seccomp

import "golang.org/x/sys/unix"

// layerDatagrams is local datagram sockets, alone and in pairs. Even a connected
// one sends to any path (unix(7)), and sendmsg(2) has the path in memory, where
// nobody can judge it before the kernel reads it again. A path of the host's leads
// to its server through read-only mounts, and Landlock guards it only from ABI 9
// on. So this layer is for sandboxes that see no directory of the host's where
// servers may be.
func layerDatagrams(t *table) {
	allowSocket(t, "local datagrams", unix.AF_UNIX, unix.SOCK_DGRAM, 0)
	t.allowIf("a pair of local datagram sockets", "socketpair", intIs(0, unix.AF_UNIX), socketTypeIs(1, unix.SOCK_DGRAM))
}
