package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"
)

// registerClient adds the flag by which the Python package pysandbox holds the
// other end of a capability channel.
func (p *programFlags) registerClient(flags *pflag.FlagSet) {
	flags.Var((*text)(&p.channel), "capabilities", "offer capabilities over the socket `FD`, as in fd:5; for the Python package")
}

// client returns the descriptor of --capabilities, or nil without the flag. It
// closes at execve, so nothing that is started inherits it.
func (p *programFlags) client() (*os.File, error) {
	if p.channel == "" {
		return nil, nil
	}
	number, isDescriptor := strings.CutPrefix(p.channel, "fd:")
	fd, err := strconv.Atoi(number)
	if !isDescriptor || err != nil || fd < 3 {
		return nil, misuse("fd:N with N from 3 on", "--capabilities: %q is no descriptor", p.channel)
	}
	kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil || kind != unix.SOCK_SEQPACKET {
		return nil, misuse("start the program with the Python package pysandbox", "--capabilities: descriptor %d is no SOCK_SEQPACKET socket", fd)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, unix.FD_CLOEXEC); err != nil {
		return nil, fmt.Errorf("keep descriptor %d: %w", fd, err)
	}
	return os.NewFile(uintptr(fd), p.channel), nil
}
