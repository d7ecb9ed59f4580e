package network

import (
	"net"
	"strconv"

	"golang.org/x/sys/unix"
)

// listenWithoutQueue listens with the shortest queue there is: one connection
// is queued, and the kernel drops the SYN of any further one (listen(2)).
func listenWithoutQueue(ip net.IP, port string) (int, error) {
	number, err := strconv.Atoi(port)
	if err != nil {
		return -1, err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	at := &unix.SockaddrInet4{Port: number, Addr: [4]byte(ip)}
	if err := unix.Bind(fd, at); err != nil {
		return -1, err
	}
	return fd, unix.Listen(fd, 0)
}
