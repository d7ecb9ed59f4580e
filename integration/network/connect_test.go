package network

import (
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// connections is what connect.py prints.
func connections(address, own string) string {
	return strings.NewReplacer("ADDRESS", address, "OWN", own).Replace(`blocking: hello \('ADDRESS', 7\) OWN
timeout: hello
non-blocking: EINPROGRESS 0 0 EISCONN
non-blocking, refused: EINPROGRESS ECONNREFUSED
second call: EINPROGRESS EALREADY
refused: ConnectionRefusedError ECONNREFUSED
refused, then connected: ECONNREFUSED hello
silence: TimeoutError None in time
SO_SNDTIMEO: BlockingIOError EINPROGRESS in time
SO_RCVTIMEO: BlockingIOError EAGAIN in time
unreachable: OSError EHOSTUNREACH
reset: ConnectionResetError ECONNRESET
interrupted: alarm
signals: 200 echoes
bound: hello
duplicated: hello True
flags: False True True
half closed: hello EPIPE
large: 8388608`)
}

func TestConnectMeansWhatItMeansOutside(t *testing.T) {
	t.Run("ipv4", func(t *testing.T) {
		scene{
			program: "connect", args: []string{peer, silent, unreachable},
			flags: []string{"--allow-net=*"}, want: connections(peer, hostAddress),
		}.run(t)
	})
	t.Run("ipv6", func(t *testing.T) {
		scene{
			program: "connect", args: []string{peer6, silent6, unreachable6},
			flags: []string{"--allow-net=*"}, want: connections(peer6, hostAddress6),
		}.run(t)
	})
}

func TestOptionsSurviveConnect(t *testing.T) {
	for _, address := range []string{peer, peer6} {
		t.Run(address, func(t *testing.T) {
			scene{program: "options", args: []string{address}, flags: []string{"--allow-net=*:7"}}.runLikeBare(t)
		})
	}
}

func TestEpollKnewTheSocketBefore(t *testing.T) {
	for _, address := range []string{peer, peer6} {
		t.Run(address, func(t *testing.T) {
			scene{program: "events", args: []string{address}, flags: []string{"--allow-net=*:7"}}.runLikeBare(t)
		})
	}
}

// TestEventLoops holds 500 connections at once, more than the preset permits.
func TestEventLoops(t *testing.T) {
	policy := policyFile(t, "version = 1\n[network]\nallow = [\"*\"]\n[limits]\nconnections = 600\nopen_files = 2000\n")
	scene{
		program: "loops", args: []string{peer, "500"}, flags: []string{"--policy=" + policy},
		want: "deadsix.test: 203.0.113.80 quickly\nslowfirst.test: 203.0.113.80 quickly\n" +
			"refusedfirst.test: 203.0.113.80 quickly\nin flight: 500 echoes\n" +
			"refused: ConnectionRefusedError\ncancelled: timeout",
	}.run(t)
}

// TestEventLoopsOfOthers holds 200 connections at once by the loops that people
// use beside asyncio's own: by C code that calls connect and epoll in its own way.
func TestEventLoopsOfOthers(t *testing.T) {
	for loop, feature := range map[string]testenv.Feature{
		"aiohttp": testenv.Aiohttp, "uvloop": testenv.Uvloop, "gevent": testenv.Gevent,
	} {
		t.Run(loop, func(t *testing.T) {
			needWorld(t)
			testenv.Need(t, feature)
			policy := policyFile(t, `version = 1
[network]
allow = ["`+peer+`:7,80,9999"]
[limits]
connections = 300
open_files = 1000
`)
			const most = "echoes: 200\nclosed: ECONNREFUSED\ndenied: "
			bare := map[string]string{"aiohttp": "200"}[loop]
			if bare == "" {
				bare = "None"
			}
			scene{
				program: "loops_of_others", args: []string{loop, peer, "200"}, flags: []string{"--policy=" + policy},
				want:   most + bare + "\nend: None",
				inside: most + "EACCES\nend: None",
				denied: []string{"connect tcp://" + peer + ":8080 network.default EACCES"},
			}.run(t)
		})
	}
}
