package accept

import (
	"context"
	"errors"
	"net"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

func lacking(errno unix.Errno) error {
	return &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", errno)}
}

func TestNextOutlastsWhatRunsOut(t *testing.T) {
	for _, errno := range []unix.Errno{unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM} {
		calls := 0
		got, err := Next(t.Context(), func() (string, error) {
			if calls++; calls < 3 {
				return "", lacking(errno)
			}
			return "connection", nil
		})
		if got != "connection" || err != nil || calls != 3 {
			t.Errorf("%v: %q, %v after %d calls", errno, got, err, calls)
		}
	}
}

func TestNextReturnsEveryOtherError(t *testing.T) {
	for _, want := range []error{net.ErrClosed, lacking(unix.EINVAL)} {
		if _, err := Next(t.Context(), func() (int, error) { return 0, want }); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Next(ctx, func() (int, error) { return 0, lacking(unix.EMFILE) }); !errors.Is(err, unix.EMFILE) {
		t.Errorf("when it is over: %v", err)
	}
}
