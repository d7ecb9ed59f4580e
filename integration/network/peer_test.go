package network

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// Ports of the peer's servers. Nothing listens on port closedPort.
const (
	echoPort    = "7"
	webPort     = "80"
	webAltPort  = "8080"
	resetPort   = "81" // accepts, then resets
	fullPort    = "82" // its queue is full: a SYN is dropped
	countPort   = "83" // UDP, counts and never answers
	closedPort  = "9999"
	dnsPort     = "53"
	echoPortAlt = "1007" // UDP echo too
)

// silentDatagrams counts what arrived at countPort, but for the tests' own marks, of
// which lastMark is the last.
var silentDatagrams, lastMark atomic.Int64

// markOf is the word of a mark, with its number.
const markOf = "mark "

// startServers starts the peer's own servers. It runs on the peer's thread.
func startServers() error {
	for _, start := range []func() error{theZone.serve, serveEcho, serveWeb, serveReset, serveFull, serveDatagrams} {
		if err := start(); err != nil {
			return fmt.Errorf("start a server at the peer: %w", err)
		}
	}
	return nil
}

// listen listens on a port of every address of the calling thread's network.
func listen(port string, each func(net.Conn)) error {
	listener, err := net.Listen("tcp", ":"+port)
	if err != nil {
		return err
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go each(conn)
		}
	}()
	return nil
}

func serveEcho() error {
	return listen(echoPort, func(conn net.Conn) {
		defer conn.Close()
		_, _ = io.Copy(conn, conn)
	})
}

func serveWeb() error {
	for _, address := range []string{peer, peerOther, privatePeer, peer6} {
		for _, port := range []string{webPort, webAltPort} {
			if err := serveWebAt(address, port); err != nil {
				return err
			}
		}
	}
	return nil
}

func serveWebAt(address, port string) error {
	listener, err := net.Listen("tcp", net.JoinHostPort(address, port))
	if err != nil {
		return err
	}
	server := &http.Server{
		ReadHeaderTimeout: time.Minute,
		Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			_, _ = fmt.Fprintf(rw, "port %s, host %s\n", port, r.Host)
		}),
	}
	go func() { _ = server.Serve(listener) }()
	return nil
}

func serveReset() error {
	return listen(resetPort, func(conn net.Conn) {
		_, _ = io.ReadFull(conn, make([]byte, 1))
		_ = conn.(*net.TCPConn).SetLinger(0)
		_ = conn.Close()
	})
}

// serveFull listens and never accepts; its queue of one is filled by itself.
func serveFull() error {
	fd, err := listenWithoutQueue(net.ParseIP(peer).To4(), fullPort)
	if err != nil {
		return err
	}
	_ = fd // stays open as long as the tests
	for range 3 {
		go func() { _, _ = net.DialTimeout("tcp", net.JoinHostPort(peer, fullPort), time.Hour) }()
	}
	return nil
}

// group is a multicast group that countPort has joined.
const group = "239.77.77.77"

// serveDatagrams echoes on echoPort and echoPortAlt, from the address to which
// a datagram was sent, and says from where it came when asked "whence".
func serveDatagrams() error {
	for _, port := range []string{echoPort, echoPortAlt} {
		if err := echo4(port); err != nil {
			return err
		}
		if err := echo6(port); err != nil {
			return err
		}
	}
	quiet, err := net.ListenPacket("udp", ":"+countPort)
	if err != nil {
		return err
	}
	cable, err := net.InterfaceByName("veth0")
	if err != nil {
		return err
	}
	if err := ipv4.NewPacketConn(quiet).JoinGroup(cable, &net.UDPAddr{IP: net.ParseIP(group)}); err != nil {
		return err
	}
	go func() {
		buf := make([]byte, 65535)
		for {
			n, _, err := quiet.ReadFrom(buf)
			if err != nil {
				return
			}
			if number, is := strings.CutPrefix(string(buf[:n]), markOf); is {
				mark, _ := strconv.ParseInt(number, 10, 64)
				lastMark.Store(mark)
				continue
			}
			silentDatagrams.Add(1)
		}
	}()
	return nil
}

func echo4(port string) error {
	conn, err := net.ListenPacket("udp4", ":"+port)
	if err != nil {
		return err
	}
	packets := ipv4.NewPacketConn(conn)
	if err := packets.SetControlMessage(ipv4.FlagDst, true); err != nil {
		return err
	}
	go func() {
		buf := make([]byte, 65535)
		for {
			n, cm, from, err := packets.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = packets.WriteTo(answer(buf[:n], from), &ipv4.ControlMessage{Src: cm.Dst}, from)
		}
	}()
	return nil
}

func echo6(port string) error {
	conn, err := net.ListenPacket("udp6", "["+peer6+"]:"+port)
	if err != nil {
		return err
	}
	packets := ipv6.NewPacketConn(conn)
	go func() {
		buf := make([]byte, 65535)
		for {
			n, _, from, err := packets.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = packets.WriteTo(answer(buf[:n], from), nil, from)
		}
	}()
	return nil
}

func answer(asked []byte, from net.Addr) []byte {
	if string(asked) == "whence" {
		host, _, _ := strings.Cut(from.String(), "%")
		return []byte(host)
	}
	return asked
}
