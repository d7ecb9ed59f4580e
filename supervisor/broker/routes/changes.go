package routes

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// changes is a rtnetlink(7) socket on which the kernel tells of every change of the
// network that a route may depend on: before the change's own request is answered,
// and of what goes before it is gone.
type changes struct{ fd int }

// told are the groups of the news: interfaces, addresses, routes, rules, next hops
// (RTNLGRP_*, of which bit n-1 stands for group n).
const told = 1<<(unix.RTNLGRP_LINK-1) |
	1<<(unix.RTNLGRP_IPV4_IFADDR-1) | 1<<(unix.RTNLGRP_IPV6_IFADDR-1) |
	1<<(unix.RTNLGRP_IPV4_ROUTE-1) | 1<<(unix.RTNLGRP_IPV6_ROUTE-1) |
	1<<(unix.RTNLGRP_IPV4_RULE-1) | 1<<(unix.RTNLGRP_IPV6_RULE-1) |
	1<<(unix.RTNLGRP_NEXTHOP-1)

func listenForChanges() (changes, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return changes{}, fmt.Errorf("make a netlink socket to hear of changes of the host's routes: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: told}); err != nil {
		_ = unix.Close(fd)
		return changes{}, fmt.Errorf("listen for changes of the host's routes: %w", err)
	}
	// Little memory of the kernel's: one message says as much as many.
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 8<<10)
	return changes{fd: fd}, nil
}

func (c *changes) close() error {
	fd := c.fd
	c.fd = -1
	return unix.Close(fd)
}

// came reports whether anything has changed since the last look. What cannot be
// looked at, or was too much to be kept, has.
func (c *changes) came() bool {
	var message [1]byte // the rest of it is dropped
	for came := false; ; came = true {
		_, err := unix.Read(c.fd, message[:])
		switch {
		case errors.Is(err, unix.EAGAIN):
			return came
		case err != nil && !errors.Is(err, unix.ENOBUFS):
			return true
		}
	}
}
