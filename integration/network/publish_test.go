package network

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// served is a program in the sandbox that serves a published port.
type served struct {
	cmd    *exec.Cmd
	result chan ended
}

// serve starts a scene that serves until it is told to end, and waits until its
// published port answers.
func (s scene) serve(t *testing.T, who account, at string) served {
	t.Helper()
	cmd, file := s.command(t, who, programs(t))
	running := served{cmd, make(chan ended, 1)}
	wait := start(t, who, s.env, cmd)
	over := make(chan struct{})
	go func() {
		defer close(over)
		run := wait()
		run.report = readReport(t, file, run)
		running.result <- run
	}()
	t.Cleanup(func() { <-over }) // of a test that has failed it is killed
	d := daemon{address: at}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		if answers(ctx, at) {
			return running
		}
		select {
		case run := <-running.result:
			t.Fatalf("the server ended with status %d\n%s%s", run.status, run.stdout, run.stderr)
		case <-ctx.Done():
			t.Fatalf("nothing answers at %s: %v", at, d.dial(context.WithoutCancel(ctx)))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// answers reports whether a server of HTTP is there. A published port takes
// connections before its program listens, and resets them.
func answers(ctx context.Context, at string) bool {
	ctx, cancel := context.WithTimeout(ctx, patience/5)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+at+"/", nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	return response.Body.Close() == nil
}

// end ends the server as its user would, and returns how it ended.
func (s served) end(t *testing.T) ended {
	t.Helper()
	if err := s.cmd.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	return <-s.result
}

func fetch(t *testing.T, url string) string {
	t.Helper()
	response, err := (&http.Client{Timeout: patience}).Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// TestGunicornServesAPublishedPort runs Debian's gunicorn in the sandbox and
// loads it with wrk from the host. The control is gunicorn without a sandbox.
func TestGunicornServesAPublishedPort(t *testing.T) {
	needWorld(t)
	testenv.Need(t, testenv.Gunicorn)
	const at = "127.0.0.1:8000"
	t.Run("bare", func(t *testing.T) {
		dir := programs(t)
		daemon{
			command: []string{debianPython, filepath.Join(dir, "serve_gunicorn.py")}, address: at,
		}.start(t)
		load(t, at)
	})
	for _, who := range []account{root(), user()} {
		t.Run(who.name, func(t *testing.T) {
			server := scene{program: "serve_gunicorn", flags: []string{"--listen=tcp:" + at}}.serve(t, who, at)
			if got := fetch(t, "http://"+at+"/"); got != "hello 127.0.0.1" {
				t.Errorf("the program answered %q: its client is at the host's loopback", got)
			}
			load(t, at)
			run := server.end(t)
			for _, v := range run.report.Violations {
				t.Errorf("violation: %+v\n%s", v, run.stderr)
			}
			if conn, err := net.DialTimeout("tcp", at, time.Second); err == nil {
				_ = conn.Close()
				t.Error("the port is still there after the run")
			}
		})
	}
}

// load runs wrk for two seconds; every request must be answered. A busy machine may be
// slow for as long, so what counts is the best of several times.
func load(t *testing.T, at string) {
	t.Helper()
	most := 0
	for range 5 {
		out, err := exec.Command("wrk", "-t1", "-c16", "-d2s", "--timeout=100s", "http://"+at+"/").CombinedOutput()
		if err != nil {
			t.Fatalf("wrk: %v\n%s", err, out)
		}
		requests := regexp.MustCompile(`(\d+) requests in`).FindSubmatch(out)
		if requests == nil {
			t.Fatalf("wrk wrote\n%s", out)
		}
		if regexp.MustCompile(`Socket errors|Non-2xx`).Match(out) {
			t.Errorf("requests failed:\n%s", out)
		}
		t.Logf("%s requests", requests[1])
		n, err := strconv.Atoi(string(requests[1]))
		if err != nil {
			t.Fatal(err)
		}
		if most = max(most, n); most >= 100 {
			return
		}
	}
	t.Errorf("at most %d requests in two seconds", most)
}

func TestPublishedPortAtOtherAddresses(t *testing.T) {
	needWorld(t)
	at := net.JoinHostPort(hostAddress, "8001")
	for _, who := range []account{root(), user()} {
		t.Run(who.name, func(t *testing.T) {
			server := scene{
				program: "serve_http", args: []string{"8000"},
				flags: []string{"--listen=tcp:" + at + ":8000"},
			}.serve(t, who, at)
			if got, want := fetchFromPeer(t, at), "hello "+peer; got != want {
				t.Errorf("the program answered %q, want %q: it sees who asks", got, want)
			}
			if run := server.end(t); run.report.ExitCode != 0 && run.report.Signal == "" {
				t.Errorf("status %d\n%s", run.status, run.stderr)
			}
		})
	}
}

// fetchFromPeer asks for a page from outside.
func fetchFromPeer(t *testing.T, at string) string {
	t.Helper()
	var conn net.Conn
	err := thePeer.Do(func() (err error) {
		conn, err = net.DialTimeout("tcp", at, patience)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET / HTTP/1.0\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// TestNothingIsPublishedUnlessNamed starts the same server without --listen.
func TestNothingIsPublishedUnlessNamed(t *testing.T) {
	scene{
		program: "serve_once", args: []string{"8002"}, noControl: "the other tests publish a port",
		inside: "listening\nnobody came",
	}.run(t)
	if conn, err := net.DialTimeout("tcp", "127.0.0.1:8002", time.Second); err == nil {
		_ = conn.Close()
		t.Error("the port is on the host")
	}
}
