package network

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestOptionsThatLeadElsewhere sets what an ordinary user or root may set
// outside: a routing header, another interface, a mark.
func TestOptionsThatLeadElsewhere(t *testing.T) {
	needWorld(t)
	dir := programs(t)
	for _, address := range []string{peer, peer6} {
		for _, when := range []string{"before", "after"} {
			s := scene{program: "door_options", args: []string{address, when}, flags: []string{"--allow-net=*:7"}}
			t.Run(address+" "+when, func(t *testing.T) {
				control := execute(t, root(), nil, exec.Command(debianPython, s.words(dir)...))
				exists := regexp.MustCompile(`(?m)^(\S+): (set|told)$`).FindAllStringSubmatch(control.stdout, -1)
				if len(exists) < 12 {
					t.Fatalf("control: only %d options can be set:\n%s%s", len(exists), control.stdout, control.stderr)
				}
				for _, who := range []account{root(), user()} {
					run := s.sandboxed(t, who, dir)
					for _, option := range exists {
						refused := regexp.MustCompile(`(?m)^` + option[1] + `: (OSError|PermissionError|\w+) (ENOPROTOOPT|ENOTTY|EPERM)$`)
						if !refused.MatchString(run.stdout) {
							t.Errorf("%s is not refused for %s:\n%s%s", option[1], who.name, run.stdout, run.stderr)
						}
					}
				}
			})
		}
	}
}

// TestWaysAroundUDPRules sends to countPort where only port 7 is allowed.
func TestWaysAroundUDPRules(t *testing.T) {
	needWorld(t)
	for how, flags := range map[string][]string{
		"mapped":    {"--allow-net=udp://*:7"},
		"source":    {"--allow-net=udp://*:7"},
		"options":   {"--allow-net=udp://" + peerOther + ":" + countPort},
		"dissolved": {"--allow-net=udp://*:7"},
		"bound":     {"--allow-net=udp://*:7"},
		// A rule speaks of machines, not of all that hear an address.
		"broadcast":  {"--allow-net=udp://*:" + countPort},
		"everywhere": {"--allow-net=udp://*:" + countPort},
		"multicast":  {"--allow-net=udp://*:" + countPort},
	} {
		t.Run(how, func(t *testing.T) {
			s := scene{program: "door_datagrams", args: []string{how, countPort}, flags: flags}
			dir := programs(t)
			if how != "options" { // a peer takes no datagram with a source route by default
				if got := arrived(t, func(t *testing.T) { checkOutput(t, s.bare(t, dir), "done") }); got == 0 {
					t.Error("control: nothing arrived without a sandbox")
				}
			}
			for _, who := range []account{root(), user()} {
				if got := arrived(t, func(t *testing.T) { checkOutput(t, s.sandboxed(t, who, dir), "done") }); got != 0 {
					t.Errorf("%s: %d datagrams arrived", who.name, got)
				}
			}
		})
	}
}

// TestServersOfNamesAreNotReachedPastTheBroker asks for names that carry data.
func TestServersOfNamesAreNotReachedPastTheBroker(t *testing.T) {
	needWorld(t)
	dir := programs(t)
	for _, flags := range [][]string{{"--preset=http-only"}, {"--allow-net=www.example.test"}, {"--allow-net=udp://*:7"}} {
		for _, how := range []string{"tcp", "connect", "sendmsg"} {
			t.Run(strings.Join(flags, " ")+" "+how, func(t *testing.T) {
				secret := fmt.Sprintf("secret%d.past.test", time.Now().UnixNano())
				s := scene{program: "door_names", args: []string{secret, how}, flags: flags}
				for _, who := range []account{root(), user()} {
					checkOutput(t, s.sandboxed(t, who, dir), "done")
				}
				if n := theZone.count(secret + "."); n != 0 {
					t.Errorf("the server was asked %d times", n)
				}
				checkOutput(t, s.bare(t, dir), "done")
				if n := theZone.count(secret + "."); n == 0 {
					t.Error("control: the server was not asked without a sandbox")
				}
			})
		}
	}
}

// TestSocketsOfTheCallerAreNotPassed starts the sandbox with a connection to a
// canary as standard input and as descriptors 3 to 5.
func TestSocketsOfTheCallerAreNotPassed(t *testing.T) {
	needWorld(t)
	dir := programs(t)
	s := scene{program: "door_passed"}
	t.Run("bare", func(t *testing.T) {
		if got := passedTo(t, user(), exec.Command(debianPython, s.words(dir)...)); got == 0 {
			t.Error("control: nothing arrived without a sandbox")
		}
	})
	for _, who := range []account{root(), user()} {
		t.Run(who.name, func(t *testing.T) {
			cmd, _ := s.command(t, who, dir)
			if got := passedTo(t, who, cmd); got != 0 {
				t.Errorf("%d bytes arrived", got)
			}
		})
	}
}

// passedTo runs a command with a connection to a canary among its descriptors
// and returns how many bytes arrive.
func passedTo(t *testing.T, who account, cmd *exec.Cmd) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	file, err := conn.(*net.TCPConn).File()
	if err != nil {
		t.Fatal(err)
	}
	canary, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer canary.Close()
	cmd.Stdin = file
	cmd.ExtraFiles = []*os.File{file, file, file}
	run := execute(t, who, nil, cmd)
	checkOutput(t, run, "done")
	_ = file.Close()
	_ = conn.Close() // the last that has this end
	if err := canary.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	said, err := io.ReadAll(canary)
	if err != nil {
		t.Errorf("read what has arrived: %v", err)
	}
	return len(said)
}

// TestSocketsHandedToAnotherProcess passes sockets by SCM_RIGHTS to a child,
// which connects them to a port that no rule allows.
func TestSocketsHandedToAnotherProcess(t *testing.T) {
	needWorld(t)
	dir := programs(t)
	canary := listenAtPeer(t)
	s := scene{program: "door_rights", args: []string{peer, "7", fmt.Sprint(canary.port)}, flags: []string{"--allow-net=*:7"}}
	checkOutput(t, s.bare(t, dir), "done")
	if canary.visits(t) == 0 {
		t.Error("control: nobody came without a sandbox")
	}
	for _, who := range []account{root(), user()} {
		checkOutput(t, s.sandboxed(t, who, dir), "done")
		if n := canary.visits(t); n != 0 {
			t.Errorf("%s: %d connections", who.name, n)
		}
	}
}
