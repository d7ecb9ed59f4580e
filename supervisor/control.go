package supervisor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/host"
)

// messageType is enum psb_message_type of cpython-shim/wire.h, where the whole
// conversation is drawn.
type messageType uint32

const (
	msgFDs messageType = iota + 1
	msgPlan
	msgListener
	msgGo
	msgStopped
	msgStatus
	msgError
	msgSocket
	msgGroup
	msgReady
	msgStdio
	msgTerminal
)

// statusTmpFull is PSB_STATUS_TMP_FULL.
const statusTmpFull = 1

// messageSize is sizeof(struct psb_message).
const messageSize = 48

// stdioCount is PSB_STDIO_COUNT: operations name standard input and output 0, 1
// and 2, and other donated descriptors by the numbers after those.
const stdioCount = 3

// fdsPerMessage is PSB_FDS_PER_MESSAGE; the kernel's own limit is 253
// (unix(7), SCM_MAX_FD).
const fdsPerMessage = 200

// message is struct psb_message.
type message struct {
	kind    messageType
	a, b, c int32
	utime   uint64 // microseconds
	stime   uint64 // microseconds
	maxRSS  uint64 // KiB
	flags   uint64
	pid     int // sender on the host, from SCM_CREDENTIALS; 0 if unknown
	fd      int // of msgSocket and msgTerminal; the receiver owns it
}

func (m *message) encode() []byte {
	buf := make([]byte, messageSize)
	binary.LittleEndian.PutUint32(buf, uint32(m.kind))
	binary.LittleEndian.PutUint32(buf[4:], uint32(m.a))
	binary.LittleEndian.PutUint32(buf[8:], uint32(m.b))
	binary.LittleEndian.PutUint32(buf[12:], uint32(m.c))
	binary.LittleEndian.PutUint64(buf[16:], m.utime)
	binary.LittleEndian.PutUint64(buf[24:], m.stime)
	binary.LittleEndian.PutUint64(buf[32:], m.maxRSS)
	binary.LittleEndian.PutUint64(buf[40:], m.flags)
	return buf
}

func decodeMessage(buf []byte) (message, error) {
	if len(buf) != messageSize {
		return message{}, fmt.Errorf("control message of %d bytes, want %d", len(buf), messageSize)
	}
	return message{
		kind:   messageType(binary.LittleEndian.Uint32(buf)),
		a:      int32(binary.LittleEndian.Uint32(buf[4:])),
		b:      int32(binary.LittleEndian.Uint32(buf[8:])),
		c:      int32(binary.LittleEndian.Uint32(buf[12:])),
		utime:  binary.LittleEndian.Uint64(buf[16:]),
		stime:  binary.LittleEndian.Uint64(buf[24:]),
		maxRSS: binary.LittleEndian.Uint64(buf[32:]),
		flags:  binary.LittleEndian.Uint64(buf[40:]),
	}, nil
}

// control is the supervisor's end of the control socket.
type control struct{ fd int }

// newControl makes the kernel name the sender of every message: a pid that a
// child says of itself is one in its own namespace.
func newControl(fd int) (*control, error) {
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PASSCRED, 1); err != nil {
		return nil, fmt.Errorf("ask for credentials on the control socket: %w", err)
	}
	return &control{fd}, nil
}

// errSend is the kind of what could not be sent to the stage. That of another socket
// says nothing of the stage.
var errSend = errors.New("send to the stage")

// send sends one message with fds, which stay open here.
func (c *control) send(m message, fds ...int) error {
	var rights []byte
	if len(fds) > 0 {
		rights = unix.UnixRights(fds...)
	}
	_, err := unix.SendmsgN(c.fd, m.encode(), rights, nil, unix.MSG_NOSIGNAL)
	if err != nil {
		return fmt.Errorf("%w: %w", errSend, err)
	}
	return nil
}

// sendPlan sends the donated descriptors in batches, then the plan.
func (c *control) sendPlan(plan []byte, donated []int) error {
	for len(donated) > 0 {
		n := min(len(donated), fdsPerMessage)
		if err := c.send(message{kind: msgFDs}, donated[:n]...); err != nil {
			return err
		}
		donated = donated[n:]
	}
	return c.sendFile(msgPlan, plan)
}

// sendFile sends encoded operations in a sealed file.
func (c *control) sendFile(kind messageType, encoded []byte) error {
	fd, err := unix.MemfdCreate("pysandbox plan", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return fmt.Errorf("make a file for the plan: %w", err)
	}
	defer unix.Close(fd)
	switch n, err := unix.Write(fd, encoded); {
	case err != nil:
		return fmt.Errorf("write the plan: %w", err)
	case n != len(encoded): // setrlimit(2): what a limit leaves no room for is not written
		return &host.LowLimitError{
			Name: "RLIMIT_FSIZE", What: fmt.Sprintf("a file may have only %d bytes", n), Least: uint64(len(encoded)),
			Instruction: fmt.Sprintf("ulimit -f %d", len(encoded)>>10+1),
		}
	}
	const seals = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		return fmt.Errorf("seal the plan: %w", err)
	}
	return c.send(message{kind: kind}, fd)
}

// receive blocks for one message. It returns io.EOF when the sandbox is gone.
func (c *control) receive() (message, error) {
	buf := make([]byte, messageSize+1)
	oob := make([]byte, unix.CmsgSpace(unix.SizeofUcred)+unix.CmsgSpace(4))
	for {
		n, oobn, _, _, err := unix.Recvmsg(c.fd, buf, oob, unix.MSG_CMSG_CLOEXEC)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.ECONNRESET):
			return message{}, io.EOF
		case err != nil:
			return message{}, fmt.Errorf("receive from the stage: %w", err)
		case n == 0:
			return message{}, io.EOF
		}
		return withControl(buf[:n], oob[:oobn])
	}
}

// withControl decodes a message with what the kernel put beside it. A
// descriptor that no message should carry is closed.
func withControl(buf, oob []byte) (message, error) {
	m, err := decodeMessage(buf)
	m.fd = -1
	parts, parseErr := unix.ParseSocketControlMessage(oob)
	if parseErr != nil {
		return m, errors.Join(err, fmt.Errorf("control message: %w", parseErr))
	}
	for i := range parts {
		if cred, credErr := unix.ParseUnixCredentials(&parts[i]); credErr == nil {
			m.pid = int(cred.Pid)
		}
		fds, rightsErr := unix.ParseUnixRights(&parts[i])
		if rightsErr != nil || len(fds) == 0 {
			continue
		}
		if m.bringsFD() && m.fd < 0 {
			m.fd, fds = fds[0], fds[1:]
		}
		closeAll(fds)
	}
	if err == nil && m.bringsFD() && m.fd < 0 {
		err = errNoDescriptor
	}
	return m, err
}

// errNoDescriptor stands beside its message: the kernel drops a descriptor for which
// this process has no number left (unix(7), RLIMIT_NOFILE).
var errNoDescriptor = errors.New("control message: a descriptor was announced and did not come")

// bringsFD is whether a descriptor belongs to the message.
func (m *message) bringsFD() bool { return m.kind == msgSocket || m.kind == msgTerminal }

// close ends the conversation; a stage that is still there ends too.
func (c *control) close() error { return unix.Close(c.fd) }
