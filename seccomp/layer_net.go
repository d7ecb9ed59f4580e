package seccomp

import "golang.org/x/sys/unix"

// Protocols of linux/in.h and linux/smc.h that ride on TCP.
const (
	protocolSMC   = 256
	protocolMPTCP = 262
)

// layerNet is client sockets. The socket itself lives in the sandbox's empty
// network namespace; the supervisor judges and performs each connect(2).
func layerNet() layer {
	return layer{"net", "make sockets and connect them, as the supervisor permits", join(
		socketKinds(),
		trap("the supervisor judges the destination and connects", "connect"),
		when(trap("the result of a connect that a signal interrupted", "getsockopt"),
			intIs(1, unix.SOL_SOCKET), intIs(2, unix.SO_ERROR)),
		trap("the supervisor must know which descriptors are epolls", "epoll_create", "epoll_create1"),
		allow("many datagrams at once", "recvmmsg"),
		sendMessage("sendmmsg", 3),
	)}
}

// socketKinds are the sockets that can be made: family, type and protocol, with
// the protocol as number or as 0. MPTCP, SMC and SCTP connect past Landlock,
// UDP-Lite past the relay; raw, packet, VSOCK and ALG sockets reach the host.
func socketKinds() []Rule {
	var rules []Rule
	add := func(why string, family, kind uint32, protocols ...uint32) {
		for _, protocol := range protocols {
			rules = append(rules, when(allow(why, "socket"),
				intIs(0, family), socketTypeIs(1, kind), intIs(2, protocol))...)
		}
	}
	add("local stream", unix.AF_UNIX, unix.SOCK_STREAM, 0)
	add("local datagrams", unix.AF_UNIX, unix.SOCK_DGRAM, 0)
	add("local packets", unix.AF_UNIX, unix.SOCK_SEQPACKET, 0)
	for _, family := range []uint32{unix.AF_INET, unix.AF_INET6} {
		add("TCP", family, unix.SOCK_STREAM, 0, unix.IPPROTO_TCP)
		add("UDP", family, unix.SOCK_DGRAM, 0, unix.IPPROTO_UDP)
	}
	return join(rules,
		namedProtocols(),
		when(refuseQuietly("getaddrinfo(3) asks for the interfaces and does without", unix.EAFNOSUPPORT, "socket"),
			intIs(0, unix.AF_NETLINK)),
		refuse("only local, TCP and UDP sockets", unix.EAFNOSUPPORT, "socket"),
	)
}

// namedProtocols are refused with the errno of a kernel that was built without
// them, so that a program which merely prefers one falls back.
func namedProtocols() []Rule {
	var rules []Rule
	for _, family := range []uint32{unix.AF_INET, unix.AF_INET6} {
		for _, protocol := range []uint32{protocolMPTCP, protocolSMC, unix.IPPROTO_SCTP, unix.IPPROTO_UDPLITE} {
			rules = append(rules, when(refuse("a transport that connects past Landlock or the relay", unix.EPROTONOSUPPORT, "socket"),
				intIs(0, family), intIs(2, protocol))...)
		}
	}
	return rules
}

// socketTypeIs compares the type of a socket, without the flags that share its
// argument.
func socketTypeIs(arg uint8, kind uint32) Condition {
	return bitsAre(arg, intMask&^(unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK), kind)
}
