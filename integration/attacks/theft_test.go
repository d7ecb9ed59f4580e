package attacks

import (
	"errors"
	"net"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// theftTries is how many connections are made: each goes to one of the sockets
// that share the port, by its hash.
const theftTries = 32

// sharedPort is a scene with a server of the same user on a port of the host that
// it is willing to share, and somebody outside who connects to it.
func sharedPort(t *testing.T, who account, _ string) *scene {
	t.Helper()
	listener := listenShared(t, who.uid)
	var served atomic.Int64
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			served.Add(1)
			_ = conn.Close()
		}
	}()
	s := newScene(t, who)
	s.target["host"], s.target["port"] = hostAddress, listener.Addr().(*net.TCPAddr).Port
	s.target["allowed"], s.target["closed"] = outside, outsideOther
	s.during = func() {
		err := thePeer.Do(func() error {
			for range theftTries {
				conn, err := net.DialTimeout("tcp", listener.Addr().String(), patience()/3)
				if err != nil {
					return err
				}
				_ = conn.Close()
			}
			return nil
		})
		if err != nil {
			t.Errorf("connect to the shared port: %v", err)
		}
	}
	s.happened = func(run ended) bool {
		long := time.Second // the control loses some for ever
		if run.report != nil {
			long = patience() / 3
		}
		for deadline := time.Now().Add(long); served.Load() < theftTries && time.Now().Before(deadline); {
			time.Sleep(5 * time.Millisecond)
		}
		return served.Load() < theftTries
	}
	return s
}

// listenShared listens with SO_REUSEPORT as a user: a socket belongs to who made
// it, by the thread's file system uid.
func listenShared(t *testing.T, uid uint32) net.Listener {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Setfsuid(int(uid)); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Setfsuid(0) }()
	config := net.ListenConfig{Control: reusePort}
	listener, err := config.Listen(t.Context(), "tcp", net.JoinHostPort(hostAddress, "0"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener
}

func reusePort(_, _ string, raw syscall.RawConn) error {
	var failed error
	err := raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	})
	return errors.Join(err, failed)
}
