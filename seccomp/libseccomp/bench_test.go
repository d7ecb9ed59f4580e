package libseccomp

import (
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/seccomp"
)

// optimizeLinear makes libseccomp search calls one after another.
const optimizeLinear = 1

// shapes are the filters to compare.
func shapes(b *testing.B) map[string]seccomp.Program {
	b.Helper()
	spec, err := seccomp.Layers("base", "threads", "ipc", "files_write", "subprocess", "net", "server", "numpy")
	if err != nil {
		b.Fatal(err)
	}
	programs := make(map[string]seccomp.Program)
	for name, optimize := range map[string]int{"tree": optimizeTree, "linear": optimizeLinear} {
		if programs[name], err = compile(spec, optimize); err != nil {
			b.Fatal(err)
		}
		b.Logf("%s: %d instructions", name, len(programs[name]))
	}
	return programs
}

// onThread runs the function on a thread that ends with it, so that what it loads
// stays there.
func onThread(b *testing.B, run func() error) {
	b.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		done <- run()
	}()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
}

func load(program seccomp.Program) error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	_, err := program.Install(seccomp.FlagSpecAllow)
	return err
}

// BenchmarkLoad is seccomp(2) alone, without making the thread. The best of all is
// reported beside the mean, which is of the machine as busy as it is.
func BenchmarkLoad(b *testing.B) {
	for name, program := range shapes(b) {
		b.Run(name, func(b *testing.B) {
			best := time.Hour
			for range b.N {
				onThread(b, func() error {
					start := time.Now()
					err := load(program)
					best = min(best, time.Since(start))
					return err
				})
			}
			b.ReportMetric(float64(best.Nanoseconds()), "best-ns")
		})
	}
}

// BenchmarkCall is what an untrapped call costs, by the best of many batches. The
// kernel remembers the calls that pass whatever their arguments (Linux 5.11); for
// those it runs no filter.
func BenchmarkCall(b *testing.B) {
	const batch = 1000
	programs := shapes(b)
	programs["free"] = nil
	for call, number := range map[string]uintptr{"getppid": unix.SYS_GETPPID, "fcntl": unix.SYS_FCNTL, "ioctl": unix.SYS_IOCTL, "openat": unix.SYS_OPENAT} {
		for name, program := range programs {
			b.Run(call+"/"+name, func(b *testing.B) {
				best := time.Hour
				onThread(b, func() error {
					if program != nil {
						if err := load(program); err != nil {
							return err
						}
					}
					for range b.N {
						start := time.Now()
						for range batch {
							// Descriptor -1 fails at once, and so does the path at address 0.
							_, _, _ = unix.RawSyscall6(number, ^uintptr(0), request(number), 0, 0, 0, 0)
						}
						best = min(best, time.Since(start))
					}
					return nil
				})
				b.ReportMetric(float64(best.Nanoseconds())/batch, "best-ns/call")
			})
		}
	}
}

func request(number uintptr) uintptr {
	switch number {
	case unix.SYS_IOCTL:
		return unix.TCGETS
	case unix.SYS_FCNTL:
		return unix.F_GETFD
	default:
		return 0
	}
}

// BenchmarkCompile is the price of a filter that is not shipped.
func BenchmarkCompile(b *testing.B) {
	spec, err := seccomp.Layers("base", "threads", "ipc", "files_write", "subprocess", "net", "server", "numpy")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := Compile(spec); err != nil {
			b.Fatal(err)
		}
	}
}
