package seccomp

import "golang.org/x/sys/unix"

// Flags of the send calls that the filter judges, always in a register.
const judgedSendFlags = unix.MSG_FASTOPEN | unix.MSG_OOB

// layerIPC is traffic between processes and threads of the sandbox over sockets
// they already hold. asyncio's self-pipe needs it even without a network.
func layerIPC(t *table) {
	localSocketPairs(t)
	t.allow("endpoints and traffic of a socket", "getpeername", "getsockname", "recvfrom", "recvmsg", "shutdown")
	sendTo(t)
	sendMessage(t, "sendmsg", 2)
	gettableOptions(t)
	settableOptions(t)
}

// localSocketPairs keeps socketpair(2) to AF_UNIX: TIPC offers pairs as well. For
// pairs of datagram sockets see layerDatagrams.
func localSocketPairs(t *table) {
	for _, kind := range []uint32{unix.SOCK_STREAM, unix.SOCK_SEQPACKET} {
		t.allowIf("a pair of local sockets", "socketpair", intIs(0, unix.AF_UNIX), socketTypeIs(1, kind))
	}
	t.refuse("pairs are made of AF_UNIX sockets that keep to their peer", unix.EOPNOTSUPP, "socketpair")
}

// sendTo lets traffic over a connected socket pass. A destination is trapped so
// that a refused datagram fails at once; the relay decides on each in any case.
func sendTo(t *table) {
	t.allowIf("no destination and no judged flag", "sendto", noneOf(3, judgedSendFlags), isNull(4))
	noFastOpen(t, "sendto", 3)
	t.trapIf("urgent data only over TCP", "sendto", bitsAre(3, judgedSendFlags, unix.MSG_OOB))
	t.trap("a destination that the supervisor judges", "sendto")
}

// sendMessage never traps an ordinary message: glibc's resolver is too fond of
// sendmmsg(2) for that, and no message leaves the sandbox's own namespace.
func sendMessage(t *table, call string, flags uint8) {
	t.allowIf("no judged flag", call, noneOf(flags, judgedSendFlags))
	noFastOpen(t, call, flags)
	t.refuseIf("urgent data goes by send(2), and only over TCP", unix.EOPNOTSUPP, call,
		bitsAre(flags, judgedSendFlags, unix.MSG_OOB))
}

// noFastOpen closes the way to connect that is no connect(2). The errno is the
// kernel's own where TCP fast open is switched off.
func noFastOpen(t *table, call string, flags uint8) {
	t.refuseIf("MSG_FASTOPEN connects without connect", unix.EOPNOTSUPP, call,
		bitsAre(flags, unix.MSG_FASTOPEN, unix.MSG_FASTOPEN))
}
