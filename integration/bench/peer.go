package main

import (
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/miekg/dns"
)

// serve is the peer of the world: TCP on port 80 and a name server. A connection
// says by its first byte what it is for: "e" wants its bytes back, "s" wants
// them counted and one byte in the end. Connects are timed at the quiet listener.
func serve() error {
	listener, err := net.Listen("tcp", "203.0.113.80:80")
	if err != nil {
		return err
	}
	if err := serveQuietly(); err != nil {
		return err
	}
	packets, err := net.ListenPacket("udp", ":53")
	if err != nil {
		return err
	}
	echo, err := net.ListenPacket("udp", "203.0.113.80:7")
	if err != nil {
		return err
	}
	go echoDatagrams(echo)
	go func() { _ = (&dns.Server{PacketConn: packets, Handler: dns.HandlerFunc(answer)}).ActivateAndServe() }()
	fmt.Println("ready")
	for {
		connection, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer connection.Close()
			_ = converse(connection) // the guest sees a broken connection by itself
		}()
	}
}

func echoDatagrams(at net.PacketConn) {
	buf := make([]byte, 1<<16)
	for {
		n, from, err := at.ReadFrom(buf)
		if err != nil {
			return
		}
		_, _ = at.WriteTo(buf[:n], from)
	}
}

func converse(connection net.Conn) error {
	purpose := make([]byte, 1)
	if _, err := connection.Read(purpose); err != nil {
		return err
	}
	switch purpose[0] {
	case 'e':
		_, err := io.Copy(connection, connection)
		return err
	case 's':
		if _, err := io.Copy(io.Discard, connection); err != nil {
			return err
		}
		_, err := connection.Write([]byte{1})
		return err
	default:
		return errors.New("unknown purpose")
	}
}

// answer says that every name has the peer's address.
func answer(w dns.ResponseWriter, question *dns.Msg) {
	reply := new(dns.Msg)
	reply.SetReply(question)
	if len(question.Question) == 1 && question.Question[0].Qtype == dns.TypeA {
		reply.Answer = append(reply.Answer, &dns.A{
			Hdr: dns.RR_Header{Name: question.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 300},
			A:   net.IPv4(203, 0, 113, 80),
		})
	}
	_ = w.WriteMsg(reply) // a lost answer is asked for again
}
