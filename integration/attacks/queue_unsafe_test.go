package attacks

import (
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// makeQueue makes a System V message queue with one message in it (msgop(2)).
func makeQueue(t *testing.T, key int, text string) {
	t.Helper()
	id, _, errno := unix.Syscall(unix.SYS_MSGGET, uintptr(key), unix.IPC_CREAT|0o666, 0)
	if errno != 0 {
		t.Fatalf("msgget: %v", errno)
	}
	t.Cleanup(func() { _, _, _ = unix.Syscall(unix.SYS_MSGCTL, id, unix.IPC_RMID, 0) })
	var message struct {
		kind int64
		text [64]byte
	}
	message.kind = 1
	n := copy(message.text[:], text)
	if _, _, errno := unix.Syscall6(unix.SYS_MSGSND, id, uintptr(unsafe.Pointer(&message)), uintptr(n), 0, 0, 0); errno != 0 {
		t.Fatalf("msgsnd: %v", errno)
	}
}
