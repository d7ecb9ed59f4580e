package seccomp_test

import (
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/seccomp"
)

// BenchmarkNotification is one trapped call, answered by one locked thread that
// polls: the median as the caller sees it.
func BenchmarkNotification(b *testing.B) {
	for name, sync := range map[string]bool{"sync": true, "plain": false} {
		b.Run(name, func(b *testing.B) {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			times := make([]time.Duration, b.N)
			listener, done := confined(b, trapping(unix.SYS_GETPPID), func() {
				for i := range times {
					start := time.Now()
					_, _, _ = unix.Syscall(unix.SYS_GETPPID, 0, 0, 0)
					times[i] = time.Since(start)
				}
			})
			defer listener.Close()
			if sync {
				if _, err := listener.SyncWakeUp(); err != nil {
					b.Fatal(err)
				}
			}
			poll := []unix.PollFd{{Fd: int32(listener.Fd()), Events: unix.POLLIN}}
			var n seccomp.Notification
			for range b.N {
				for poll[0].Revents = 0; poll[0].Revents == 0; {
					_, _ = unix.Poll(poll, -1)
				}
				if err := listener.Receive(&n); err != nil {
					b.Fatal(err)
				}
				if err := listener.Respond(seccomp.Response{ID: n.ID, Perform: true}); err != nil {
					b.Fatal(err)
				}
			}
			<-done
			slices.Sort(times)
			b.ReportMetric(float64(times[len(times)/2].Nanoseconds()), "median-ns")
			b.ReportMetric(float64(times[len(times)*99/100].Nanoseconds()), "p99-ns")
		})
	}
}
