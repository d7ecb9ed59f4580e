/* Sockets and routes that belong to the supervisor but to the sandbox's network
 * namespace. Runs in: PID 1, before it gives up its capabilities. An ordinary
 * user's supervisor cannot enter the namespace (setns(2) wants CAP_SYS_ADMIN in
 * the caller's own user namespace too), but it may bind a socket made there. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "stage.h"

/* Sends the supervisor a message with a descriptor, which stays open here. */
int stage_give(struct stage *st, uint32_t type, int fd)
{
	return send_fds(st->control, type, &fd, 1);
}

/* A kept socket joins the donated descriptors, so that PASS_FD can give the
 * program the one that the supervisor binds. */
int op_socket(struct stage *st, const struct op *op)
{
	int fd = (int)sys3(SYS_socket, op->n1, op->n2 | SOCK_CLOEXEC, op->n3);

	if (fd < 0)
		return fd;
	int err = stage_give(st, PSB_MSG_SOCKET, fd);
	if (!err && (op->flags & PSB_FLAG_KEEP)) {
		if (st->donated_count == PSB_MAX_DONATED)
			return -EMFILE;
		st->donated[st->donated_count++] = fd;
		return 0;
	}
	sys1(SYS_close, fd);
	return err;
}

struct route_request {
	struct nlmsghdr head;
	struct rtmsg route;
	char attrs[RTA_SPACE(4) + RTA_SPACE(16)];
};

static void add_attr(struct route_request *req, unsigned short type, const void *data,
		     unsigned short len)
{
	struct rtattr *attr = (struct rtattr *)((char *)req + req->head.nlmsg_len);
	attr->rta_type = type;
	attr->rta_len = RTA_LENGTH(len);
	memcpy(RTA_DATA(attr), data, len);
	req->head.nlmsg_len += RTA_SPACE(len);
}

/* ip route add local default dev lo src SOURCE: a datagram to any address ends
 * at this namespace's own sockets (rtnetlink(7), RTN_LOCAL). Without a source
 * the kernel would send from the destination's own address. */
static int add_local_default(int netlink, int family, const void *source, unsigned short len)
{
	struct route_request req = {
		.head = {
			.nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)),
			.nlmsg_type = RTM_NEWROUTE,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_ACK,
		},
		.route = {
			.rtm_family = (unsigned char)family,
			.rtm_table = RT_TABLE_LOCAL,
			.rtm_protocol = RTPROT_STATIC,
			.rtm_scope = RT_SCOPE_HOST,
			.rtm_type = RTN_LOCAL,
		},
	};
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
		char echo[sizeof req];
	} answer;
	uint32_t lo = 1; /* the first device of every network namespace */

	add_attr(&req, RTA_OIF, &lo, sizeof lo);
	add_attr(&req, RTA_PREFSRC, source, len);
	long n = sys6(SYS_sendto, netlink, SYS_ARG(&req), req.head.nlmsg_len, 0, 0, 0);
	if (n >= 0)
		n = sys6(SYS_recvfrom, netlink, SYS_ARG(&answer), sizeof answer, 0, 0, 0);
	if (n < 0)
		return (int)n;
	return answer.head.nlmsg_type == NLMSG_ERROR ? answer.error.error : -EPROTO;
}

int op_local_routes(void)
{
	static const uint8_t loopback4[4] = { 127, 0, 0, 1 }, loopback6[16] = { [15] = 1 };
	int netlink = (int)sys3(SYS_socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (netlink < 0)
		return netlink;
	int err = add_local_default(netlink, AF_INET, loopback4, sizeof loopback4);
	if (!err)
		err = add_local_default(netlink, AF_INET6, loopback6, sizeof loopback6);
	sys1(SYS_close, netlink);
	return err;
}
