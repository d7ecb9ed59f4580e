package network

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// passing makes a command start as a service manager would start it: with the
// file as descriptor 3 (sd_listen_fds(3)).
func passing(cmd *exec.Cmd, file *os.File) *exec.Cmd {
	const begin = `LISTEN_FDS=1 LISTEN_FDNAMES=web LISTEN_PID=$$ exec "$@"`
	started := exec.Command("sh", append([]string{"-c", begin, "sh"}, cmd.Args...)...)
	started.ExtraFiles = []*os.File{file}
	return started
}

// TestAListenerOfTheServiceManagerIsServed passes a listener by the protocol of
// systemd. The program shuts its own down, which ends nothing outside.
func TestAListenerOfTheServiceManagerIsServed(t *testing.T) {
	needWorld(t)
	dir := programs(t)
	s := scene{program: "activated"}
	for _, address := range []string{hostAddress, "[" + hostAddress6 + "]"} {
		listener, err := net.Listen("tcp", address+":0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		file, err := listener.(*net.TCPListener).File()
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		at := listener.Addr().String()
		port := at[strings.LastIndex(at, ":")+1:]
		for name, start := range map[string]func() (account, *exec.Cmd){
			"bare": func() (account, *exec.Cmd) { return user(), exec.Command(debianPython, s.words(dir)...) },
			"root": func() (account, *exec.Cmd) { cmd, _ := s.command(t, root(), dir); return root(), cmd },
			"user": func() (account, *exec.Cmd) { cmd, _ := s.command(t, user(), dir); return user(), cmd },
		} {
			t.Run(address+" "+name, func(t *testing.T) {
				who, cmd := start()
				result := make(chan ended, 1)
				go func() { result <- execute(t, who, nil, passing(cmd, file)) }()
				if got := greeting(t, at); got != "hello from "+port {
					t.Errorf("the client was told %q", got)
				}
				checkOutput(t, <-result, "listening at "+port+", one client, named web")
			})
		}
	}
}

// greeting is the line that a server sends.
func greeting(t *testing.T, at string) string {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(context.Background(), "tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	buf := make([]byte, 100)
	n, err := conn.Read(buf)
	if err != nil {
		t.Errorf("read: %v", err)
	}
	return string(buf[:n])
}

// TestOtherSocketsOfTheServiceManagerAreRefused passes what cannot be served, and
// variables that are meant for another process.
func TestOtherSocketsOfTheServiceManagerAreRefused(t *testing.T) {
	needWorld(t)
	datagrams, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer datagrams.Close()
	file, err := datagrams.(*net.UDPConn).File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	binary := testenv.Binary(t)
	run := execute(t, user(), nil, passing(exec.Command(binary, "exec", "-c", "print('ran')"), file))
	if run.status != 125 || !strings.Contains(run.stderr, "LISTEN_FDS: descriptor 3 cannot be passed to the sandbox, only TCP listeners can") {
		t.Errorf("status %d\n%s%s", run.status, run.stdout, run.stderr)
	}
	env := []string{"LISTEN_FDS=1", fmt.Sprintf("LISTEN_PID=%d", os.Getpid())}
	cmd := exec.Command(binary, "exec", "-c", "import os; print(os.environ.get('LISTEN_FDS'))")
	checkOutput(t, execute(t, user(), env, cmd), "None")
}
