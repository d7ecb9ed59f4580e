package network

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// echoes is what udp.py prints.
func echoes(address, other string) string {
	text := strings.NewReplacer("ADDRESS", address, "OTHER", other).Replace(`unconnected: hello from ADDRESS 7
port 1007: hello from ADDRESS 1007
other address: hello from OTHER 7
empty:  from ADDRESS 7
large: 60000 from ADDRESS 7
two from one: one from ADDRESS 7, two from OTHER 1007
connected: hello from ADDRESS 7
deaf: mine
reconnected: hello from OTHER 1007
sendmsg: hello from ADDRESS 7
sendmmsg: 3 sent, `)
	sent := []string{"number 0 from " + address + " 7", "number 1 from " + other + " 7", "number 2 from " + address + " 1007"}
	return text + strings.Join(sent, ", ") + `
refused: ConnectionRefusedError ECONNREFUSED
SO_ERROR: 111
asyncio: hello from ` + address + ` 7, ConnectionRefusedError ECONNREFUSED
order: 200 round trips`
}

func TestDatagramsGoWhereTheRulesAllow(t *testing.T) {
	scene{
		program: "udp", args: []string{peer, peerOther, closedPort},
		flags: []string{"--allow-net=udp://203.0.113.0/24:7,1007," + closedPort},
		want:  echoes(peer, peerOther),
	}.run(t)
}

func TestDatagramsGoByIPv6(t *testing.T) {
	scene{
		program: "udp", args: []string{peer6, peer6, closedPort},
		flags: []string{"--allow-net=udp://[2001:db8::/32]:7,1007," + closedPort},
		want:  echoes(peer6, peer6),
	}.run(t)
}

// TestDatagramsThatNoRuleAllowsStay sends to a port of the peer that counts.
func TestDatagramsThatNoRuleAllowsStay(t *testing.T) {
	needWorld(t)
	target := []string{peer, countPort}
	at := fmt.Sprintf("udp://%s:%s", peer, countPort)
	denied := scene{
		program: "udp_denied", args: target, noControl: "counted below",
		inside: "sendto: PermissionError EACCES\ndone",
		denied: []string{"sendto " + at + " network.default EACCES"},
		hint:   "--allow-net=" + at,
	}
	dropped := "sendto " + at + " network.default" // by the relay, behind a call that has succeeded
	for name, flags := range map[string][]string{
		"no rule":       {},
		"tcp":           {"--allow-net=" + peer},
		"another port":  {"--allow-net=udp://" + peer + ":7"},
		"other address": {"--allow-net=udp://" + peerOther + ":" + countPort},
		"http-only":     {"--preset=http-only"},
	} {
		t.Run(name, func(t *testing.T) {
			s := denied
			s.flags = flags
			if name == "other address" {
				s.denied = append([]string{dropped}, s.denied...)
			}
			if got := arrived(t, s.run); got != 0 {
				t.Errorf("%d datagrams arrived", got)
			}
		})
	}
	t.Run("denied beside any", func(t *testing.T) {
		s := denied
		s.flags = []string{"--allow-net=udp://any:" + countPort, "--deny-net=udp://" + peer + ":" + countPort}
		s.denied, s.hint = []string{"sendto " + at + ` network.deny\[0\]`, "sendto " + at + ` network.deny\[0\] EACCES`}, ""
		if got := arrived(t, s.run); got != 0 {
			t.Errorf("%d datagrams arrived", got)
		}
	})
	t.Run("control", func(t *testing.T) {
		s := scene{program: "udp_denied", args: target, want: "sendto: 5\ndone", flags: []string{"--allow-net=" + at}}
		if got := arrived(t, s.run); got != 3*6 {
			t.Errorf("%d datagrams arrived of %d", got, 3*6)
		}
	})
}

// TestLastDatagramsAreSent sends datagrams and ends before anybody has read them.
func TestLastDatagramsAreSent(t *testing.T) {
	needWorld(t)
	s := scene{
		program: "udp_last", args: []string{peer, countPort, "100"},
		flags: []string{"--allow-net=udp://" + peer + ":" + countPort},
	}
	if got := arrived(t, s.run); got != 3*100 {
		t.Errorf("%d datagrams arrived of %d", got, 3*100)
	}
}

// arrived counts the datagrams that reach countPort while run runs.
func arrived(t *testing.T, run func(*testing.T)) int64 {
	t.Helper()
	before := silentDatagrams.Load()
	run(t)
	time.Sleep(50 * time.Millisecond) // for what should not come
	markArrival(t)
	return silentDatagrams.Load() - before
}

// markArrival sends a mark to countPort and waits for it: what came before is counted
// before.
func markArrival(t *testing.T) {
	t.Helper()
	conn, err := net.Dial("udp", net.JoinHostPort(peer, countPort))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	mark := lastMark.Load() + 1
	if _, err := fmt.Fprint(conn, markOf, mark); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(patience); lastMark.Load() != mark; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the mark has not arrived")
		}
	}
}

func TestNamesLeadDatagrams(t *testing.T) {
	scene{
		program: "udp_name", args: []string{"four.example.test", "7"},
		flags: []string{"--allow-net=udp://*.example.test:7"},
		want:  "hello from " + peer + " 7",
	}.run(t)
}

// TestPort53BesideTheBroker allows datagrams to a name server beside names: the
// broker of names and the relay share port 53.
func TestPort53BesideTheBroker(t *testing.T) {
	scene{
		program: "udp_53", args: []string{peer, "www.example.test"},
		flags: []string{"--allow-net=udp://" + peer + ":53", "--allow-net=www.example.test:80"},
		want:  "direct: 203.0.113.80\ngetaddrinfo: 203.0.113.80",
	}.run(t)
}

// TestDatagramsToTheHostsLoopback reaches a server at the host's 127.0.0.1.
func TestDatagramsToTheHostsLoopback(t *testing.T) {
	needWorld(t)
	if err := echo4("2007"); err != nil {
		t.Fatal(err)
	}
	scene{
		program: "udp_name", args: []string{"127.0.0.1", "2007"}, flags: []string{"--host-loopback=udp:2007"},
		want: "hello from 127.0.0.1 2007",
	}.run(t)
	scene{
		program: "udp_denied", args: []string{"127.0.0.1", "2007"}, noControl: "the program above",
		flags: []string{"--host-loopback=tcp:2007"}, inside: "sendto: 5\ndone",
	}.run(t)
}
