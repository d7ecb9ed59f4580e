package supervisor

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/supervisor/broker"
)

// openDirect takes over the descriptors that go to the program as they are
// (network.direct). It is a host socket in the program's hands, so it must be one
// of those whose powers the filter knows: no multipath TCP, which has options of
// its own.
func openDirect(fds []int) ([]int, error) {
	for _, fd := range fds {
		if err := checkDirect(fd); err != nil {
			return nil, notPassed(fd, err)
		}
	}
	return fds, nil
}

func checkDirect(fd int) error {
	for _, want := range []struct {
		option, value int
		otherwise     error
	}{
		{unix.SO_TYPE, unix.SOCK_STREAM, errors.New("it is no stream socket")},
		{unix.SO_PROTOCOL, unix.IPPROTO_TCP, errors.New("its protocol is not TCP; write SocketProtocol= without mptcp, or network.direct = false")},
		{unix.SO_ACCEPTCONN, 1, errors.New("it does not listen")},
	} {
		got, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, want.option)
		if err != nil {
			return fmt.Errorf("look at it: %w", err)
		}
		if got != want.value {
			return want.otherwise
		}
	}
	return checkNetwork(fd)
}

// checkNetwork refuses a socket of another network than ours: the broker knows the
// host's sockets by it, and would take this one for the sandbox's own.
func checkNetwork(fd int) error {
	ours, err := broker.OwnNetwork()
	if err != nil {
		return err
	}
	theirs, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_NETNS_COOKIE)
	if err != nil {
		return fmt.Errorf("read its network: %w", err)
	}
	if theirs != ours {
		return errors.New("it belongs to another network than pysandbox; start both in one (without PrivateNetwork=), or write network.direct = false")
	}
	return nil
}
