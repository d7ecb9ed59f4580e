package network

import (
	"fmt"
	"net"
	"strings"
	"sync"

	"github.com/miekg/dns"
)

// zone is the only name server of the world, at the peer.
type zone struct {
	mu      sync.Mutex
	records map[string][]string // by lower-case absolute name
	asked   map[string]int
}

func newZone() *zone {
	return &zone{asked: map[string]int{}, records: map[string][]string{
		"www.example.test.":   {"300 A " + peer, "300 AAAA " + peer6},
		"four.example.test.":  {"300 A " + peer},
		"six.example.test.":   {"300 AAAA " + peer6},
		"a.b.deep.test.":      {"300 A " + peer},
		"deep.test.":          {"300 A " + peer},
		"alias.test.":         {"300 CNAME target.cdn.test.", "target.cdn.test. 300 A " + peer},
		"target.cdn.test.":    {"300 A " + peer},
		"other.test.":         {"300 A " + peer},
		"slowfirst.test.":     {"300 A " + silent, "300 A " + peer},
		"deadsix.test.":       {"300 AAAA " + silent6, "300 A " + peer},
		"refusedfirst.test.":  {"300 A " + peerNginx, "300 A " + peer},
		"loop.rebind.test.":   {"300 A 127.0.0.1"},
		"meta.rebind.test.":   {"300 A 169.254.169.254"},
		"inner.rebind.test.":  {"300 A " + privatePeer},
		"host.rebind.test.":   {"300 A " + hostAddress},
		"routed.rebind.test.": {"300 A " + routedHost},
		"mixed.rebind.test.":  {"300 A 10.0.0.1", "300 A " + peer},
		"text.test.":          {`300 TXT "data"`, "300 A " + peer},
	}}
}

func (z *zone) serve() error {
	packets, err := net.ListenPacket("udp", net.JoinHostPort(peer, dnsPort))
	if err != nil {
		return err
	}
	streams, err := net.Listen("tcp", net.JoinHostPort(peer, dnsPort))
	if err != nil {
		return err
	}
	go func() { _ = (&dns.Server{PacketConn: packets, Handler: z}).ActivateAndServe() }()
	go func() { _ = (&dns.Server{Listener: streams, Handler: z}).ActivateAndServe() }()
	return nil
}

// ServeDNS answers from the zone; what is not in it does not exist.
func (z *zone) ServeDNS(rw dns.ResponseWriter, query *dns.Msg) {
	name := strings.ToLower(query.Question[0].Name)
	z.mu.Lock()
	z.asked[name]++
	records, ok := z.records[name]
	z.mu.Unlock()
	reply := new(dns.Msg).SetReply(query)
	if !ok {
		reply.Rcode = dns.RcodeNameError
	}
	for _, text := range records {
		if text[0] >= '0' && text[0] <= '9' {
			text = name + " " + text
		}
		rr, err := dns.NewRR(text)
		if err != nil {
			panic(fmt.Sprintf("record %q: %v", text, err))
		}
		if rr.Header().Rrtype == query.Question[0].Qtype || rr.Header().Rrtype == dns.TypeCNAME {
			reply.Answer = append(reply.Answer, rr)
		}
	}
	_ = rw.WriteMsg(reply)
}

// count is how often the server was asked for names that end so.
func (z *zone) count(suffix string) int {
	z.mu.Lock()
	defer z.mu.Unlock()
	total := 0
	for name, n := range z.asked {
		if strings.HasSuffix(name, suffix) {
			total += n
		}
	}
	return total
}
