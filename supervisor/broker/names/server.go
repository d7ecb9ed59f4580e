// Package names answers the sandbox's DNS queries: it forwards only names that
// a rule could allow, never tells an address that leads inward, and pins what it
// tells so that connects can be judged by name. It opens no socket of its own.
package names

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/miekg/dns"

	"github.com/pysandbox/pysandbox/audit"
	"github.com/pysandbox/pysandbox/internal/netrule"
)

// Rules by which a lookup is refused, beside those of the policy.
const (
	RuleBudget    = "network.dns"
	RuleRebinding = "network.rebinding"
)

// Config says by what a Server answers.
type Config struct {
	Rules    netrule.Set
	Host     netrule.HostFacts
	Budget   Budget // holds only where the rules open every name
	Resolver Resolver
	Audit    audit.Sink
	Pins     *Pins
}

// Server answers queries on sockets that it is given.
type Server struct {
	config  Config
	ledger  ledger
	answers cache
	busy    chan struct{}
}

// mostBusy bounds the lookups under way; a query beyond it is told to try again.
const mostBusy = 64

// New makes a server.
func New(config Config) *Server {
	return &Server{
		config: config,
		ledger: ledger{budget: config.Budget},
		busy:   make(chan struct{}, mostBusy),
	}
}

// Serve answers on a UDP socket and a TCP listener until ctx is done, and closes
// both. It returns the first error that was not the end.
func (s *Server) Serve(ctx context.Context, packets net.PacketConn, streams net.Listener) error {
	udp := &dns.Server{PacketConn: packets, Handler: s, UDPSize: 4096}
	tcp := &dns.Server{Listener: streams, Handler: s, MaxTCPQueries: 128}
	failed := make(chan error, 2)
	go func() { failed <- udp.ActivateAndServe() }()
	go func() { failed <- tcp.ActivateAndServe() }()
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	_ = packets.Close()
	_ = streams.Close()
	if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return fmt.Errorf("answer the sandbox's name queries: %w", err)
}

// ServeDNS answers one query. A panic costs that answer only.
func (s *Server) ServeDNS(w dns.ResponseWriter, query *dns.Msg) {
	reply := new(dns.Msg)
	defer func() {
		if recover() != nil {
			reply = new(dns.Msg).SetRcode(query, dns.RcodeServerFailure)
		}
		size := dns.MinMsgSize
		if _, ok := w.RemoteAddr().(*net.TCPAddr); ok {
			size = dns.MaxMsgSize
		} else if opt := query.IsEdns0(); opt != nil {
			size = max(size, int(opt.UDPSize()))
		}
		reply.Truncate(min(size, dns.MaxMsgSize))
		_ = w.WriteMsg(reply)
	}()
	reply = s.answer(query)
}

func (s *Server) answer(query *dns.Msg) *dns.Msg {
	refuse := func(code int) *dns.Msg { return new(dns.Msg).SetRcode(query, code) }
	if query.Opcode != dns.OpcodeQuery {
		return refuse(dns.RcodeNotImplemented)
	}
	if len(query.Question) != 1 || query.Question[0].Qclass != dns.ClassINET {
		return refuse(dns.RcodeRefused)
	}
	question := query.Question[0]
	name, err := netrule.CanonicalName(question.Name)
	if err != nil {
		return refuse(dns.RcodeNameError)
	}
	if d := s.decide(name); d.Verdict != netrule.Allow {
		s.record(name, d)
		return explained(refuse(dns.RcodeNameError), query, d)
	}
	family := 0
	switch question.Qtype {
	case dns.TypeA:
		family = 4
	case dns.TypeAAAA:
		family = 6
	default:
		return new(dns.Msg).SetReply(query) // the name may exist, but has no such data
	}
	found, err := s.lookup(name, family)
	switch {
	case errors.Is(err, ErrNoName):
		return refuse(dns.RcodeNameError)
	case err != nil:
		return refuse(dns.RcodeServerFailure)
	}
	return addressReply(query, found)
}

// decide judges a name by the rules, then by the budget.
func (s *Server) decide(name string) netrule.Decision {
	d := s.config.Rules.DecideName(name, 0)
	if d.Verdict != netrule.Allow || !s.config.Rules.OpensNames() || s.ledger.spend(name) {
		return d
	}
	return netrule.Decision{Rule: RuleBudget, Hint: "raise network.dns.names or network.dns.bytes"}
}

// lookup asks the host, keeps what may be told, and pins it.
func (s *Server) lookup(name string, family int) (Answer, error) {
	now := time.Now()
	if found, ok := s.answers.get(name, family, now); ok {
		return found, nil
	}
	select {
	case s.busy <- struct{}{}:
		defer func() { <-s.busy }()
	default:
		return Answer{}, errors.New("too many lookups under way")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*perServer)
	defer cancel()
	found, err := s.config.Resolver.Resolve(ctx, name, family)
	if err != nil {
		return Answer{}, err
	}
	found.Addrs = s.tellable(name, found, now)
	s.answers.put(name, family, found, now)
	return found, nil
}

func (s *Server) tellable(name string, found Answer, now time.Time) []netip.Addr {
	var told []netip.Addr
	for _, addr := range found.Addrs {
		if !s.config.Rules.MayAnswer(addr, s.config.Host) {
			s.config.Audit.Record(audit.Record{
				Time: now, Source: "kernel", Verdict: "deny", Operation: "resolve", Target: name,
				Original: addr.String(), Name: name, Rule: RuleRebinding, Errno: "ENODATA",
			})
			continue
		}
		if s.config.Pins.Add(addr, name, found.TTL, now) {
			told = append(told, addr)
		}
	}
	return told
}

func (s *Server) record(name string, d netrule.Decision) {
	s.config.Audit.Record(audit.Record{
		Time: time.Now(), Source: "kernel", Verdict: "deny", Operation: "resolve", Target: name,
		Name: name, Rule: d.Rule, Errno: "NXDOMAIN", Hint: d.Hint,
	})
}
