package names

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// Sizes of messages in bytes: what fits in a datagram without EDNS (RFC 1035,
// 4.2.1), what is announced with it (the DNS flag day's value, which no path
// fragments), and the limit of TCP's length field.
const (
	plainSize = 512
	ednsSize  = 1232
	largest   = 65535
)

// query is the part of a query that matters here.
type query struct {
	header   dnsmessage.Header
	question dnsmessage.Question
	edns     bool
	size     int // of the largest answer that the client takes by UDP
}

var errNotOneQuestion = errors.New("a query has one question")

// parseQuery reads a query. The header is valid even where the rest is not, if
// it came that far.
func parseQuery(packet []byte) (query, error) {
	q := query{size: plainSize}
	var p dnsmessage.Parser
	var err error
	if q.header, err = p.Start(packet); err != nil {
		return q, err
	}
	questions, err := p.AllQuestions()
	if err != nil {
		return q, err
	}
	if len(questions) != 1 {
		return q, errNotOneQuestion
	}
	q.question = questions[0]
	if p.SkipAllAnswers() != nil || p.SkipAllAuthorities() != nil {
		return q, nil
	}
	for {
		head, err := p.AdditionalHeader()
		if err != nil {
			return q, nil
		}
		if head.Type == dnsmessage.TypeOPT { // RFC 6891: the class is the size
			q.edns, q.size = true, max(plainSize, int(head.Class))
		}
		if p.SkipAdditional() != nil {
			return q, nil
		}
	}
}

// reply is an answer before it is written.
type reply struct {
	code  dnsmessage.RCode
	addrs []netip.Addr
	ttl   time.Duration
	text  string // why a name was refused, for clients that speak EDNS
}

// pack writes the reply to q in at most size bytes; what does not fit is left
// out and the reply marked as truncated.
func (r reply) pack(q query, size int) ([]byte, error) {
	packet, err := r.build(q, false)
	if err == nil && len(packet) > size {
		packet, err = reply{code: r.code}.build(q, true)
	}
	return packet, err
}

func (r reply) build(q query, truncated bool) ([]byte, error) {
	b := dnsmessage.NewBuilder(nil, dnsmessage.Header{
		ID: q.header.ID, Response: true, OpCode: q.header.OpCode, RCode: r.code,
		RecursionDesired: q.header.RecursionDesired, RecursionAvailable: true,
		Truncated: truncated,
	})
	b.EnableCompression()
	if err := r.addAnswers(&b, q); err != nil {
		return nil, err
	}
	if !q.edns {
		return b.Finish()
	}
	if err := b.StartAdditionals(); err != nil {
		return nil, err
	}
	var head dnsmessage.ResourceHeader
	if err := head.SetEDNS0(ednsSize, r.code, false); err != nil {
		return nil, err
	}
	var options []dnsmessage.Option
	if r.text != "" {
		options = append(options, extendedError(r.text))
	}
	if err := b.OPTResource(head, dnsmessage.OPTResource{Options: options}); err != nil {
		return nil, err
	}
	return b.Finish()
}

func (r reply) addAnswers(b *dnsmessage.Builder, q query) error {
	if q.question.Name.Length == 0 {
		return nil
	}
	if err := b.StartQuestions(); err != nil {
		return err
	}
	if err := b.Question(q.question); err != nil {
		return err
	}
	if err := b.StartAnswers(); err != nil {
		return err
	}
	head := dnsmessage.ResourceHeader{
		Name: q.question.Name, Class: dnsmessage.ClassINET, TTL: uint32(r.ttl / time.Second),
	}
	for _, addr := range r.addrs {
		var err error
		if addr.Is4() {
			err = b.AResource(head, dnsmessage.AResource{A: addr.As4()})
		} else {
			err = b.AAAAResource(head, dnsmessage.AAAAResource{AAAA: addr.As16()})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// extendedError is option 15 of RFC 8914 with code 17, "filtered".
func extendedError(text string) dnsmessage.Option {
	const option, filtered = 15, 17
	return dnsmessage.Option{Code: option, Data: append([]byte{0, filtered}, text...)}
}

// readStream and writeStream carry one message over TCP (RFC 1035, 4.2.2).
func readStream(conn net.Conn) ([]byte, error) {
	var length [2]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return nil, err
	}
	packet := make([]byte, binary.BigEndian.Uint16(length[:]))
	_, err := io.ReadFull(conn, packet)
	return packet, err
}

func writeStream(conn net.Conn, packet []byte) error {
	_, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(packet))), packet...))
	return err
}
