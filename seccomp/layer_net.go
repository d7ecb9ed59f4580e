package seccomp

import "golang.org/x/sys/unix"

// Protocols of linux/in.h and linux/smc.h that ride on TCP.
const (
	protocolSMC   = 256
	protocolMPTCP = 262
)

// layerNet is client sockets. The socket itself lives in the sandbox's empty
// network namespace; the supervisor judges and performs each connect(2).
func layerNet(t *table) {
	socketKinds(t)
	t.trap("the supervisor judges the destination and connects", "connect")
	t.trapIf("the result of a connect that a signal interrupted", "getsockopt",
		intIs(1, unix.SOL_SOCKET), intIs(2, unix.SO_ERROR))
	for _, buffer := range []uint32{unix.SO_RCVBUF, unix.SO_SNDBUF} {
		t.trapIf("the supervisor bounds the buffers of a host socket", "setsockopt",
			intIs(1, unix.SOL_SOCKET), intIs(2, buffer))
	}
	t.trap("the supervisor must know which descriptors are epolls", "epoll_create", "epoll_create1")
	t.allow("many datagrams at once", "recvmmsg")
	sendMessage(t, "sendmmsg", 3)
}

// socketKinds are the sockets that can be made: family, type and protocol, with
// the protocol as number or as 0. MPTCP, SMC and SCTP connect past Landlock,
// UDP-Lite past the relay; raw, packet, VSOCK and ALG sockets reach the host. The
// errnos are those of a kernel that was built without, so that a program which
// merely prefers one falls back.
func socketKinds(t *table) {
	for _, kind := range []uint32{unix.SOCK_STREAM, unix.SOCK_SEQPACKET} {
		allowSocket(t, "local", unix.AF_UNIX, kind, 0)
	}
	for _, family := range []uint32{unix.AF_INET, unix.AF_INET6} {
		allowSocket(t, "TCP", family, unix.SOCK_STREAM, 0)
		allowSocket(t, "TCP", family, unix.SOCK_STREAM, unix.IPPROTO_TCP)
		allowSocket(t, "UDP", family, unix.SOCK_DGRAM, 0)
		allowSocket(t, "UDP", family, unix.SOCK_DGRAM, unix.IPPROTO_UDP)
		for _, protocol := range []uint32{protocolMPTCP, protocolSMC, unix.IPPROTO_SCTP, unix.IPPROTO_UDPLITE} {
			t.refuseIf("a transport that connects past Landlock or the relay", unix.EPROTONOSUPPORT, "socket",
				intIs(0, family), intIs(2, protocol))
		}
	}
	// getifaddrs(3) hands the errno on, and with any other but EINVAL libzmq aborts.
	t.refuseQuietlyIf("getaddrinfo(3) and libzmq ask for the interfaces and do without", unix.EOPNOTSUPP, "socket",
		intIs(0, unix.AF_NETLINK))
	t.refuse("only local, TCP and UDP sockets", unix.EAFNOSUPPORT, "socket")
}

func allowSocket(t *table, why string, family, kind, protocol uint32) {
	t.allowIf(why, "socket", intIs(0, family), socketTypeIs(1, kind), intIs(2, protocol))
}

// socketTypeIs compares the type of a socket, without the flags that share its
// argument.
func socketTypeIs(arg uint8, kind uint32) Condition {
	return bitsAre(arg, intMask&^(unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK), kind)
}
