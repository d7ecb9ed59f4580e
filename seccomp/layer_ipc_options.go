package seccomp

import "golang.org/x/sys/unix"

// socketOptions are options of one level.
type socketOptions struct {
	level uint32
	names []uint32
}

// bothWays are the options that may be set and read. A host's socket can be in
// the guest's hands, so the list holds only what neither chooses another
// destination, route or interface nor tells of the host: IPV6_RTHDR sends to
// another address than the one allowed, and needs no privilege.
func bothWays() []socketOptions {
	return []socketOptions{
		{unix.SOL_SOCKET, []uint32{
			unix.SO_REUSEADDR, unix.SO_REUSEPORT, unix.SO_KEEPALIVE, unix.SO_BROADCAST, unix.SO_LINGER,
			unix.SO_RCVBUF, unix.SO_SNDBUF, unix.SO_RCVLOWAT, unix.SO_RCVTIMEO, unix.SO_SNDTIMEO,
			unix.SO_OOBINLINE, unix.SO_PASSCRED, unix.SO_PRIORITY,
		}},
		{unix.SOL_TCP, []uint32{
			unix.TCP_NODELAY, unix.TCP_CORK, unix.TCP_KEEPIDLE, unix.TCP_KEEPINTVL, unix.TCP_KEEPCNT,
			unix.TCP_USER_TIMEOUT, unix.TCP_QUICKACK, unix.TCP_SYNCNT, unix.TCP_DEFER_ACCEPT,
			unix.TCP_NOTSENT_LOWAT, unix.TCP_CONGESTION,
		}},
		{unix.SOL_IP, []uint32{
			unix.IP_TOS, unix.IP_TTL, unix.IP_MTU_DISCOVER, unix.IP_RECVERR, unix.IP_PKTINFO,
			unix.IP_RECVTOS, unix.IP_RECVTTL,
			unix.IP_BIND_ADDRESS_NO_PORT, unix.IP_MULTICAST_IF, unix.IP_MULTICAST_TTL, unix.IP_MULTICAST_LOOP,
		}},
		{unix.SOL_IPV6, []uint32{
			unix.IPV6_V6ONLY, unix.IPV6_TCLASS, unix.IPV6_UNICAST_HOPS, unix.IPV6_RECVPKTINFO,
			unix.IPV6_RECVTCLASS, unix.IPV6_RECVHOPLIMIT, unix.IPV6_RECVERR, unix.IPV6_MTU_DISCOVER,
		}},
	}
}

// onlyRead are the options that may be read but not set.
func onlyRead() []socketOptions {
	return []socketOptions{
		{unix.SOL_SOCKET, []uint32{
			unix.SO_ERROR, unix.SO_TYPE, unix.SO_DOMAIN, unix.SO_PROTOCOL, unix.SO_ACCEPTCONN, unix.SO_PEERCRED,
		}},
		{unix.SOL_TCP, []uint32{unix.TCP_INFO, unix.TCP_MAXSEG}},
	}
}

func settableOptions(t *table) {
	allowOptions(t, "setsockopt", "an option without effect on where data goes", bothWays())
	t.refuseQuietly("an option that is not on the list", unix.ENOPROTOOPT, "setsockopt")
}

func gettableOptions(t *table) {
	allowOptions(t, "getsockopt", "an option that tells nothing of the host", bothWays())
	allowOptions(t, "getsockopt", "an option that can only be read", onlyRead())
	t.refuseQuietly("an option that is not on the list", unix.ENOPROTOOPT, "getsockopt")
}

// allowOptions allows a call for each pair of level and name, both ints.
func allowOptions(t *table, call, why string, groups []socketOptions) {
	for _, group := range groups {
		for _, name := range group.names {
			t.allowIf(why, call, intIs(1, group.level), intIs(2, name))
		}
	}
}
