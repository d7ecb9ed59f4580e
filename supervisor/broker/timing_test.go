package broker

import (
	"fmt"
	"net"
	"strconv"
	"testing"
)

// BenchmarkConnect tells what a connect costs as Python sees it, here and
// natively. The loop inside the program counts, so ns/op says nothing.
func BenchmarkConnect(b *testing.B) {
	const count = 2000 // below the backlog
	for _, bench := range []struct {
		kind    string
		allowed bool
	}{{"denied", false}, {"loopback", false}, {"blocking", true}, {"nonblocking", true}} {
		b.Run(bench.kind, func(b *testing.B) {
			host, port := silentServer(b)
			var config Config
			if bench.allowed {
				config = allowing(b, net.JoinHostPort(host, port))
			}
			inside, _ := runPython(b, config, "timing.py", bench.kind, strconv.Itoa(count), host, port)
			report(b, inside, "inside")
			host, port = silentServer(b)
			report(b, runNative(b, "timing.py", bench.kind, strconv.Itoa(count), host, port), "native")
		})
	}
}

// silentServer listens and does not accept: waking a server would be part of the
// measure.
func silentServer(tb testing.TB) (host, port string) {
	tb.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(outside4, "0"))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { l.Close() })
	host, port, err = net.SplitHostPort(l.Addr().String())
	if err != nil {
		tb.Fatal(err)
	}
	return host, port
}

func report(b *testing.B, output, where string) {
	b.Helper()
	var median, tail float64
	if _, err := fmt.Sscan(output, &median, &tail); err != nil {
		b.Fatalf("%v\n%s", err, output)
	}
	b.ReportMetric(median, where+"-p50-µs")
	b.ReportMetric(tail, where+"-p99-µs")
}
