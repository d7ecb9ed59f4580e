package names

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// ask sends one question, over TCP when the answer did not fit in a datagram.
func ask(ctx context.Context, server, name string, family int) (Answer, error) {
	question, err := newQuestion(name, family)
	if err != nil {
		return Answer{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, perServer)
	defer cancel()
	answer, truncated, err := exchange(ctx, "udp", server, question)
	if err == nil && truncated {
		answer, _, err = exchange(ctx, "tcp", server, question)
	}
	return answer, err
}

func newQuestion(name string, family int) (dnsmessage.Question, error) {
	kind := dnsmessage.TypeA
	if family == 6 {
		kind = dnsmessage.TypeAAAA
	}
	absolute, err := dnsmessage.NewName(name + ".")
	return dnsmessage.Question{Name: absolute, Type: kind, Class: dnsmessage.ClassINET}, err
}

// exchange sends question to server and reads the one answer that has its id and
// repeats it. The id comes from the system's random source (RFC 5452), and the
// socket's port is the kernel's choice.
func exchange(ctx context.Context, network, server string, question dnsmessage.Question) (answer Answer, truncated bool, err error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, server)
	if err != nil {
		return Answer{}, false, err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	_ = conn.SetDeadline(deadline)
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	var id [2]byte
	if _, err := rand.Read(id[:]); err != nil {
		return Answer{}, false, err
	}
	header := dnsmessage.Header{ID: binary.BigEndian.Uint16(id[:]), RecursionDesired: true}
	packet, err := packQuestion(header, question)
	if err != nil {
		return Answer{}, false, err
	}
	if network == "tcp" {
		err = writeStream(conn, packet)
	} else {
		_, err = conn.Write(packet)
	}
	buf := make([]byte, largest)
	for err == nil {
		var got []byte
		if network == "tcp" {
			got, err = readStream(conn)
		} else {
			var n int
			n, err = conn.Read(buf)
			got = buf[:n]
		}
		if err != nil {
			break
		}
		if answer, truncated, ours, failure := readAnswer(got, header.ID, question); ours {
			return answer, truncated, failure
		}
	}
	return Answer{}, false, fmt.Errorf("ask %s: %w", server, err)
}

func packQuestion(header dnsmessage.Header, question dnsmessage.Question) ([]byte, error) {
	b := dnsmessage.NewBuilder(nil, header)
	if err := b.StartQuestions(); err != nil {
		return nil, err
	}
	if err := b.Question(question); err != nil {
		return nil, err
	}
	if err := b.StartAdditionals(); err != nil {
		return nil, err
	}
	var head dnsmessage.ResourceHeader
	if err := head.SetEDNS0(ednsSize, 0, false); err != nil {
		return nil, err
	}
	if err := b.OPTResource(head, dnsmessage.OPTResource{}); err != nil {
		return nil, err
	}
	return b.Finish()
}

// mostAddresses is how many addresses of one answer are taken, each once. A message has
// room for thousands, and each is kept, judged and recorded.
const mostAddresses = 256

// readAnswer takes the addresses, whatever chain of CNAMEs led to them: the
// server followed it, and the name asked for is the one that rules speak of.
// ours is false for what is not an answer to the question.
func readAnswer(packet []byte, id uint16, question dnsmessage.Question) (a Answer, truncated, ours bool, err error) {
	var p dnsmessage.Parser
	header, err := p.Start(packet)
	if err != nil || !header.Response || header.ID != id {
		return Answer{}, false, false, nil
	}
	asked, err := p.AllQuestions()
	if err != nil || len(asked) != 1 || asked[0].Type != question.Type ||
		!strings.EqualFold(asked[0].Name.String(), question.Name.String()) {
		return Answer{}, false, false, nil
	}
	switch header.RCode {
	case dnsmessage.RCodeSuccess:
	case dnsmessage.RCodeNameError:
		return Answer{}, false, true, ErrNoName
	default:
		return Answer{}, false, true, fmt.Errorf("the server answered %v", header.RCode)
	}
	if header.Truncated {
		return Answer{}, true, true, nil
	}
	a.TTL = longestPin
	for {
		resource, err := p.Answer()
		if errors.Is(err, dnsmessage.ErrSectionDone) {
			return a, false, true, nil
		}
		if err != nil {
			return Answer{}, false, true, fmt.Errorf("read the server's answer: %w", err)
		}
		a.TTL = min(a.TTL, time.Duration(resource.Header.TTL)*time.Second)
		switch body := resource.Body.(type) {
		case *dnsmessage.AResource:
			a.add(netip.AddrFrom4(body.A))
		case *dnsmessage.AAAAResource:
			a.add(netip.AddrFrom16(body.AAAA).Unmap())
		}
	}
}

func (a *Answer) add(addr netip.Addr) {
	if len(a.Addrs) < mostAddresses && !slices.Contains(a.Addrs, addr) {
		a.Addrs = append(a.Addrs, addr)
	}
}
