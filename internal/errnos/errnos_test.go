package errnos

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestEveryNameHasItsNumber(t *testing.T) {
	names := Names()
	for _, name := range names {
		errno, known := Number(name)
		if !known {
			t.Errorf("%s has no number", name)
			continue
		}
		if back, _ := Number(Name(errno)); back != errno {
			t.Errorf("%s is %d, which is called %s", name, errno, Name(errno))
		}
	}
	if len(names) < 130 {
		t.Errorf("only %d names", len(names))
	}
	for _, name := range []string{"", "eacces", "EACCESS", "errno 13"} {
		if errno, known := Number(name); known {
			t.Errorf("%q is %d", name, errno)
		}
	}
}

func TestTwoNamesOfOneNumber(t *testing.T) {
	for one, other := range map[string]string{"ENOTSUP": "EOPNOTSUPP", "EWOULDBLOCK": "EAGAIN", "EDEADLOCK": "EDEADLK"} {
		first, _ := Number(one)
		second, _ := Number(other)
		if first == 0 || first != second || Name(first) != other {
			t.Errorf("%s is %d and %s is %d, called %s", one, first, other, second, Name(first))
		}
	}
}

func TestOf(t *testing.T) {
	for _, c := range []struct {
		err  error
		want syscall.Errno
	}{
		{nil, 0},
		{unix.ENOENT, unix.ENOENT},
		{fmt.Errorf("open: %w", &os.PathError{Op: "open", Path: "/x", Err: unix.EACCES}), unix.EACCES},
		{errors.New("no number"), unix.EIO},
		{syscall.Errno(0), unix.EIO},
	} {
		if got := Of(c.err); got != c.want {
			t.Errorf("%v: %v, want %v", c.err, got, c.want)
		}
	}
}
