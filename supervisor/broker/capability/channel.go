package capability

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Channel is the guest's end of a relay and the areas beside it.
type Channel struct {
	// Guest are the descriptors that the guest gets from 3 upward: its socket
	// and, with a client, the area that it reads and the one that it writes.
	Guest []*os.File

	ours   int // our end of the guest's socket
	client int // -1 without a client
}

// Open makes the guest's socket and, for a guest that has a client, the areas.
func Open(hasClient bool) (*Channel, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("make the capability channel: %w", err)
	}
	c := &Channel{Guest: []*os.File{os.NewFile(uintptr(pair[1]), "capabilities")}, ours: pair[0], client: -1}
	if !hasClient {
		return c, nil
	}
	for _, name := range []string{"pysandbox in", "pysandbox out"} {
		area, err := newArea(name)
		if err != nil {
			c.Close()
			return nil, err
		}
		c.Guest = append(c.Guest, area)
	}
	return c, nil
}

// Greet sends the client the areas, with the names that the policy lets it grant.
// The guest's descriptors must still be open.
func (c *Channel) Greet(client *os.File, names []string) error {
	kind, err := unix.GetsockoptInt(int(client.Fd()), unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil || kind != unix.SOCK_SEQPACKET {
		return fmt.Errorf("open the capability channel: descriptor %d is no SOCK_SEQPACKET socket", client.Fd())
	}
	var areas []int
	for _, area := range c.Guest[1:] {
		areas = append(areas, int(area.Fd()))
	}
	// Our own copy: the caller's may be one that it closes.
	if c.client, err = unix.FcntlInt(client.Fd(), unix.F_DUPFD_CLOEXEC, 3); err != nil {
		return fmt.Errorf("keep the capability channel: %w", err)
	}
	if _, err := unix.FcntlInt(uintptr(c.client), unix.F_SETFL, 0); err != nil {
		return fmt.Errorf("make the capability channel blocking: %w", err)
	}
	// A client that has room for nothing has not begun to read; no limit of time runs yet.
	const flags = unix.MSG_NOSIGNAL | unix.MSG_DONTWAIT
	_, err = unix.SendmsgN(c.client, welcomeFrame(names), unix.UnixRights(areas...), nil, flags)
	if err != nil {
		return fmt.Errorf("greet the client on the capability channel: %w", err)
	}
	return nil
}

// newArea makes a file in memory whose size nobody can change, so that no
// reader meets an end that was not there before (memfd_create(2)).
func newArea(name string) (*os.File, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, fmt.Errorf("make an area for data: %w", err)
	}
	area := os.NewFile(uintptr(fd), name)
	if err := unix.Ftruncate(fd, AreaSize); err != nil {
		_ = area.Close()
		if errors.Is(err, unix.EFBIG) {
			err = fmt.Errorf("the caller's own limit on the size of a file (RLIMIT_FSIZE) is below its %d bytes; raise it, as with ulimit -f %d", AreaSize, AreaSize>>10)
		}
		return nil, fmt.Errorf("size an area for data: %w", err)
	}
	const seals = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		_ = area.Close()
		return nil, fmt.Errorf("seal an area for data: %w", err)
	}
	return area, nil
}

// CloseGuest closes our copies of what the guest got.
func (c *Channel) CloseGuest() {
	for _, file := range c.Guest {
		_ = file.Close()
	}
	c.Guest = nil
}

// Sockets hands over our ends, for New. The client's is -1 without a client.
func (c *Channel) Sockets() (guest, client int) {
	guest, client = c.ours, c.client
	c.ours, c.client = -1, -1
	return guest, client
}

// Close closes everything that was not handed over.
func (c *Channel) Close() {
	c.CloseGuest()
	for _, fd := range []int{c.ours, c.client} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
	c.ours, c.client = -1, -1
}

func welcomeFrame(names []string) []byte {
	frame := []byte{majorArray<<5 | 3, byte(Welcome), Version}
	frame = appendHead(frame, majorArray, uint64(len(names)))
	for _, name := range names {
		frame = append(appendHead(frame, majorText, uint64(len(name))), name...)
	}
	return frame
}

// appendHead writes a major type and its argument in the shortest form.
func appendHead(to []byte, major byte, argument uint64) []byte {
	switch {
	case argument < 24:
		return append(to, major<<5|byte(argument))
	case argument < 1<<8:
		return append(to, major<<5|24, byte(argument))
	case argument < 1<<16:
		return binary.BigEndian.AppendUint16(append(to, major<<5|25), uint16(argument))
	case argument < 1<<32:
		return binary.BigEndian.AppendUint32(append(to, major<<5|26), uint32(argument))
	default:
		return binary.BigEndian.AppendUint64(append(to, major<<5|27), argument)
	}
}
