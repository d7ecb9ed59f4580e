package seccomp

import "golang.org/x/sys/unix"

// Flags of the send calls that the filter judges, always in a register.
const judgedSendFlags = unix.MSG_FASTOPEN | unix.MSG_OOB

// layerIPC is traffic between processes and threads of the sandbox over sockets
// they already hold. asyncio's self-pipe needs it even without a network.
func layerIPC() layer {
	return layer{"ipc", "socket pairs, and traffic over sockets already held", join(
		localSocketPairs(),
		allow("endpoints and traffic of a socket", "getpeername", "getsockname", "recvfrom", "recvmsg", "shutdown"),
		sendTo(),
		sendMessage("sendmsg", 2),
		gettableOptions(),
		settableOptions(),
	)}
}

// localSocketPairs keeps socketpair(2) to AF_UNIX: TIPC offers pairs as well.
func localSocketPairs() []Rule {
	rules := refuse("pairs are made of AF_UNIX sockets", unix.EOPNOTSUPP, "socketpair")
	for _, kind := range []uint32{unix.SOCK_STREAM, unix.SOCK_DGRAM, unix.SOCK_SEQPACKET} {
		rules = append(rules, when(allow("a pair of local sockets", "socketpair"),
			intIs(0, unix.AF_UNIX), socketTypeIs(1, kind))...)
	}
	return rules
}

// sendTo lets traffic over a connected socket pass. A destination is trapped so
// that a refused datagram fails at once; the relay decides on each in any case.
func sendTo() []Rule {
	return join(
		when(allow("no destination and no judged flag", "sendto"), noneOf(3, judgedSendFlags), isNull(4)),
		refuseFastOpen("sendto", 3),
		when(trap("urgent data only over TCP", "sendto"), bitsAre(3, judgedSendFlags, unix.MSG_OOB)),
		trap("a destination that the supervisor judges", "sendto"),
	)
}

// sendMessage never traps an ordinary message: glibc's resolver is too fond of
// sendmmsg(2) for that, and no message leaves the sandbox's own namespace.
func sendMessage(call string, flags uint8) []Rule {
	return join(
		when(allow("no judged flag", call), noneOf(flags, judgedSendFlags)),
		refuseFastOpen(call, flags),
		when(refuse("urgent data goes by send(2), and only over TCP", unix.EOPNOTSUPP, call),
			bitsAre(flags, judgedSendFlags, unix.MSG_OOB)),
	)
}

// refuseFastOpen closes the way to connect that is no connect(2). The errno is
// the kernel's own where TCP fast open is switched off.
func refuseFastOpen(call string, flags uint8) []Rule {
	return when(refuse("MSG_FASTOPEN connects without connect", unix.EOPNOTSUPP, call),
		bitsAre(flags, unix.MSG_FASTOPEN, unix.MSG_FASTOPEN))
}
