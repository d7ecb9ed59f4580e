package network

import (
	"context"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// ownListener listens by plain TCP, as systemd does, and returns its descriptor.
func ownListener(t *testing.T, address string, multipath bool) (net.Listener, *os.File) {
	t.Helper()
	config := net.ListenConfig{}
	config.SetMultipathTCP(multipath)
	listener, err := config.Listen(context.Background(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	file, err := listener.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	return listener, file
}

// TestADirectListenerIsTheOwnersOwn passes a listener to the program itself. It
// serves, it ends for its owner, and it becomes nothing else: no client of what is
// denied, and no listener at another port of the host.
func TestADirectListenerIsTheOwnersOwn(t *testing.T) {
	needWorld(t)
	dir := programs(t)
	const bare = `accepted: bind EINVAL listen EINVAL
connect EISCONN EISCONN
after shutdown: connect done listen EINVAL
at another port`
	const inside = `accepted: bind EINVAL listen EINVAL
connect EACCES EACCES
after shutdown: connect EACCES listen done
at another port`
	canary := listenAtPeer(t)
	s := scene{
		program: "direct", flags: []string{"--policy", policyFile(t, "version = 1\nnetwork.direct = true\n")},
		env: []string{"ELSEWHERE=" + peer, "PORT=" + strconv.Itoa(canary.port)},
	}
	serve := func(t *testing.T, who account, cmd *exec.Cmd, env []string, want string, visits int) {
		t.Helper()
		listener, file := ownListener(t, hostAddress+":0", false)
		result := make(chan ended, 1)
		go func() { result <- execute(t, who, env, passing(cmd, file)) }()
		at := listener.Addr().String()
		if got, want := greeting(t, at), "hello from "+at[strings.LastIndex(at, ":")+1:]; got != want {
			t.Errorf("the client was told %q, want %q", got, want)
		}
		checkOutput(t, <-result, want)
		if n := canary.visits(t); n != visits {
			t.Errorf("%d connections arrived at what is denied, want %d", n, visits)
		}
		if conn, err := net.Dial("tcp", at); err == nil {
			_ = conn.Close()
			t.Error("the owner's listener lives on, although the program shut it down")
		}
	}
	t.Run("bare", func(t *testing.T) {
		serve(t, user(), exec.Command(debianPython, s.words(dir)...), s.env, bare, 1)
	})
	for _, who := range []account{root(), user()} {
		t.Run(who.name, func(t *testing.T) {
			cmd, _ := s.command(t, who, dir)
			serve(t, who, cmd, nil, inside, 0)
		})
	}
}

// TestOnlyPlainTCPIsPassedDirectly passes a listener of multipath TCP, which has
// options that no filter knows.
func TestOnlyPlainTCPIsPassedDirectly(t *testing.T) {
	needWorld(t)
	_, file := ownListener(t, hostAddress+":0", true)
	run := execute(t, user(), nil, passing(exec.Command(testenv.Binary(t),
		"exec", "--policy", policyFile(t, "version = 1\nnetwork.direct = true\n"), "-c", "print('ran')"), file))
	if run.status != 125 || !strings.Contains(run.stderr, "its protocol is not TCP") {
		t.Errorf("status %d\n%s%s", run.status, run.stdout, run.stderr)
	}
}

// TestADirectListenerIsOfOneNetwork passes a listener of another network, as a
// service with PrivateNetwork= may get one.
func TestADirectListenerIsOfOneNetwork(t *testing.T) {
	needWorld(t)
	var file *os.File
	if err := thePeer.Do(func() error { _, file = ownListener(t, peer+":0", false); return nil }); err != nil {
		t.Fatal(err)
	}
	run := execute(t, user(), nil, passing(exec.Command(testenv.Binary(t),
		"exec", "--policy", policyFile(t, "version = 1\nnetwork.direct = true\n"), "-c", "print('ran')"), file))
	if run.status != 125 || !strings.Contains(run.stderr, "it belongs to another network than pysandbox") {
		t.Errorf("status %d\n%s%s", run.status, run.stdout, run.stderr)
	}
}
