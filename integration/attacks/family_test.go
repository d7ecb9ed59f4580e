package attacks

import "testing"

func TestOtherFamilies(t *testing.T) { runAttacks(t, otherFamilies()) }

// otherFamilies are sockets that are neither local, TCP nor UDP.
func otherFamilies() []attack {
	anybody := []string{
		"vsock", "vsock datagram", "vsock seqpacket", "netlink route", "netlink audit", "netlink uevent",
		"netlink diag", "netlink generic", "alg", "udplite", "tipc", "tipc pair", "rds", "kcm", "bluetooth",
		"pppox", "can", "qipcrtr", "mctp",
	}
	return []attack{
		{program: "family", hows: anybody},
		{program: "family", hows: []string{"packet", "packet datagram", "raw", "raw6", "xdp", "key"}, control: alone()},
		{program: "family", hows: []string{"ping"}, control: withoutControl("only groups in net.ipv4.ping_group_range may (icmp(7))")},
	}
}
