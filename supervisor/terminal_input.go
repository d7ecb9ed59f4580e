package supervisor

import (
	"bytes"
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// sampling is how often a terminal that is not raw looks whether it is time.
const sampling = 100 * time.Millisecond

// pumpInput carries keys from the caller's terminal to the pty while the
// caller's is raw, until end is called or either side is gone.
func (t *Terminal) pumpInput() {
	buf := make([]byte, 4096) // N_TTY_BUF_SIZE
	for !t.hasEnded() {
		if !t.isRaw() {
			t.awaitRaw()
			continue
		}
		ready, err := await(t.source, unix.POLLIN, t.wake, -1)
		if errors.Is(err, errStop) {
			t.wake.clear()
		}
		if !ready || !t.isRaw() {
			continue
		}
		n, err := read(t.source, buf)
		if errors.Is(err, unix.EAGAIN) {
			continue
		}
		if err != nil || n == 0 {
			return
		}
		t.noteInterrupt(buf[:n])
		if !t.deliver(buf[:n]) {
			return
		}
	}
}

// noteInterrupt looks for the key that the pty makes a SIGINT of (termios(3), INTR), if
// it is the caller's too: what the program calls so is none of the caller's business.
func (t *Terminal) noteInterrupt(keys []byte) {
	settings, err := unix.IoctlGetTermios(t.master, unix.TCGETS)
	if err != nil || settings.Lflag&unix.ISIG == 0 {
		return
	}
	key := settings.Cc[unix.VINTR]
	if key == 0 || key != t.initial.Cc[unix.VINTR] || bytes.IndexByte(keys, key) < 0 { // 0: _POSIX_VDISABLE
		return
	}
	t.interrupted.Store(time.Now().UnixNano())
}

// deliver writes keys to the pty. A program that reads none of them holds up
// only this pump.
func (t *Terminal) deliver(keys []byte) bool {
	for {
		n, err := unix.Write(t.master, keys)
		if err == nil {
			keys = keys[n:]
		}
		if len(keys) == 0 {
			return true
		}
		if err != nil && !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR) {
			return false
		}
		if _, err := await(t.master, unix.POLLOUT, t.wake, -1); errors.Is(err, errStop) {
			t.wake.clear()
			if t.hasEnded() {
				return false
			}
		}
	}
}

// awaitRaw waits a moment for raw mode and enters it if it is time: when this
// process has become the foreground job, of which a shell does not tell; and, for
// a lazy terminal, when the program has changed the settings of its pty (getpass,
// an editor, a pager), or when the user has typed a line that no other member of
// the pipeline takes.
func (t *Terminal) awaitRaw() {
	if _, err := await(-1, 0, t.wake, sampling); errors.Is(err, errStop) {
		t.wake.clear()
		return
	}
	if t.isLazy() && !t.settingsChanged() && !t.unclaimed() {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.enterRaw()
}

func (t *Terminal) isLazy() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lazy
}

func (t *Terminal) settingsChanged() bool {
	settings, err := unix.IoctlGetTermios(t.master, unix.TCGETS)
	return err == nil && (settings.Lflag != t.initial.Lflag || settings.Iflag != t.initial.Iflag)
}

// unclaimed is true if input has been waiting for a while.
func (t *Terminal) unclaimed() bool {
	if ready, err := await(t.source, unix.POLLIN, t.wake, 0); err != nil || !ready {
		return false
	}
	if _, err := await(-1, 0, t.wake, sampling); err != nil {
		return false
	}
	ready, err := await(t.source, unix.POLLIN, t.wake, 0)
	return err == nil && ready
}
