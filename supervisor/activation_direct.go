package supervisor

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// openDirect takes over the descriptors that go to the program as they are
// (network.direct). It is a host socket in the program's hands, so it must be one
// of those whose powers the filter knows: no multipath TCP, which has options of
// its own.
func openDirect(fds []int) ([]int, error) {
	for _, fd := range fds {
		if err := checkDirect(fd); err != nil {
			closeAll(fds)
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
	return nil
}
