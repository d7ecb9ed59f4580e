package supervisor

import (
	"fmt"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// Terminal is the program's own terminal, a pty, and the caller's terminal
// behind it. The program never holds the caller's: on that it could push input
// for the shell, or change modes for good.
//
// Which of the program's descriptors is the pty follows from the caller's, one
// by one: a terminal becomes the pty, anything else keeps its own pipe or file,
// so that `pysandbox exec job.py | less` pages and `> file` holds no escape
// sequences. Where standard input is a terminal, the caller's is put into raw
// mode, so that every key, ^C too, reaches the pty and the line discipline there
// acts on it. Where only an output is a terminal, the caller's stays as it is,
// ^C becomes a SIGINT for pysandbox, which passes it on, and the pty leaves
// newlines alone because the caller's terminal handles them.
type Terminal struct {
	master int  // non-blocking; owned by the output pump; -1 before attach
	real   int  // the caller's terminal: its modes, size and foreground job count
	source int  // where keys are read: real, or opened again
	input  bool // standard input is the terminal

	initial unix.Termios // settings of the pty at the start
	foreign bool         // they are of the line editor of a shell, which has the terminal
	wake    *event       // tells the input pump that something here has changed

	job         *job         // the caller's; nil where keys are none of the program's
	interrupted atomic.Int64 // when the key for SIGINT was typed for the program; Unix time in ns

	mu    sync.Mutex
	saved *term.State // what to restore; nil when the caller's terminal is not raw
	lazy  bool        // raw mode only when the program turns out to want input
	held  bool        // no raw mode until Resume
	ended bool        // no more raw mode
}

// openTerminal gets ready to stand between a pty and the caller's terminal real.
func openTerminal(real int, input, lazy bool) (*Terminal, error) {
	wake, err := newEvent()
	if err != nil {
		return nil, err
	}
	t := &Terminal{master: -1, real: real, source: real, input: input, lazy: lazy, wake: wake}
	if input {
		if fd, err := reopen(real, unix.O_RDONLY); err == nil {
			t.source = fd
		}
		t.job = findJob()
	}
	return t, nil
}

// attach connects the pty, before its other side is used. The stage makes it, in
// the sandbox's own devpts: there it has a name for the program (ttyname(3)) and
// belongs to the program's user.
func (t *Terminal) attach(master int) error {
	t.master = master
	t.foreign = !t.foreground()
	return t.copySettings()
}

// copySettings gives the pty the modes and the size of the caller's terminal.
// An ioctl on the master acts on the slave's settings (pty(7)).
func (t *Terminal) copySettings() error {
	settings, err := unix.IoctlGetTermios(t.real, unix.TCGETS)
	if err != nil {
		return fmt.Errorf("read the settings of the caller's terminal: %w", err)
	}
	if !t.input {
		settings.Oflag &^= unix.OPOST
	}
	if err := unix.IoctlSetTermios(t.master, unix.TCSETS, settings); err != nil {
		return fmt.Errorf("set up the pty: %w", err)
	}
	t.initial = *settings
	t.Resize()
	return nil
}

// Resize gives the pty the size of the caller's terminal. The kernel tells the
// program's foreground job with SIGWINCH.
func (t *Terminal) Resize() {
	size, err := unix.IoctlGetWinsize(t.real, unix.TIOCGWINSZ)
	if err == nil {
		_ = unix.IoctlSetWinsize(t.master, unix.TIOCSWINSZ, size)
	}
}

// Resume takes the caller's terminal into raw mode, at the start and after
// pysandbox was continued: only if standard input comes from it, if this process
// is its foreground job (or as soon as it is), and not before the program wants
// input when it stands in a pipeline whose other members may want the terminal
// too.
func (t *Terminal) Resume() {
	t.Resize()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.held = false
	if t.input && !t.lazy {
		t.enterRaw()
	}
}

// enterRaw enters raw mode if it may; t.mu is held.
func (t *Terminal) enterRaw() {
	if t.ended || t.held || !t.foreground() {
		return
	}
	if t.foreign && !t.settingsChanged() {
		_ = t.copySettings() // those that are the program's to use; they were readable at the start
	}
	t.foreign = false
	state, err := term.MakeRaw(t.real)
	if err == nil && t.saved == nil {
		t.saved = state
	}
	t.lazy = false
	t.wake.set()
}

// Restore gives the caller's terminal its modes back, until Resume. If this
// process is no longer the foreground job, the shell has done so already.
func (t *Terminal) Restore() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.saved != nil && t.foreground() {
		_ = term.Restore(t.real, t.saved)
	}
	t.saved, t.held = nil, true
	t.wake.set()
}

// foreground is true if this process may use the caller's terminal: it is in
// the foreground job, or the terminal controls some other session or none.
func (t *Terminal) foreground() bool {
	group, err := unix.IoctlGetInt(t.real, unix.TIOCGPGRP)
	return err != nil || group == unix.Getpgrp()
}

func (t *Terminal) isRaw() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.saved != nil
}

// end stops the input pump for good.
func (t *Terminal) end() {
	t.mu.Lock()
	t.ended = true
	t.mu.Unlock()
	t.wake.set()
}

// release closes what no pump uses any more.
func (t *Terminal) release() {
	if t.source != t.real {
		_ = unix.Close(t.source)
	}
	t.job.close()
	t.wake.close()
}

func (t *Terminal) hasEnded() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ended
}
