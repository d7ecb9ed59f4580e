// Package names answers the sandbox's DNS queries: it forwards only names that
// a rule could allow, never tells an address that leads inward, and pins what it
// tells so that connects can be judged by name. It opens no socket inside.
package names

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"golang.org/x/net/dns/dnsmessage"

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
	Host     func(netrule.Endpoint) netrule.HostFacts // nil: nothing is known of the host
	Budget   Budget                                   // holds only where the rules open every name
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

// New makes a server.
func New(config Config) *Server {
	return &Server{
		config: config,
		ledger: ledger{budget: config.Budget},
		busy:   make(chan struct{}, mostBusy),
	}
}

// answerPacket answers one message, or returns nil for what is not a query. A
// panic costs that answer only.
func (s *Server) answerPacket(ctx context.Context, packet []byte, stream bool) (answer []byte) {
	q, err := parseQuery(packet)
	if len(packet) < 12 || q.header.Response { // RFC 1035, 4.1.1: the header has 12 bytes
		return nil
	}
	received := time.Now()
	r := reply{code: dnsmessage.RCodeFormatError}
	defer func() {
		if recover() != nil {
			r = reply{code: dnsmessage.RCodeServerFailure}
		}
		size := q.size
		if stream {
			size = largest
		}
		answer, _ = r.pack(q, size)
	}()
	if err == nil {
		r = s.answer(ctx, q, received)
	}
	return answer
}

func (s *Server) answer(ctx context.Context, q query, received time.Time) reply {
	if q.header.OpCode != 0 {
		return reply{code: dnsmessage.RCodeNotImplemented}
	}
	if q.question.Class != dnsmessage.ClassINET {
		return reply{code: dnsmessage.RCodeRefused}
	}
	name, err := netrule.CanonicalName(q.question.Name.String())
	if err != nil {
		return reply{code: dnsmessage.RCodeNameError}
	}
	d := s.decide(name)
	r := refusal(d)
	if d.Verdict == netrule.Allow {
		r = s.found(ctx, name, q.question.Type)
	}
	s.record(name, d, r, received)
	return r
}

// found is the answer to a query for a name that may be looked up.
func (s *Server) found(ctx context.Context, name string, kind dnsmessage.Type) reply {
	family := 0
	switch kind {
	case dnsmessage.TypeA:
		family = 4
	case dnsmessage.TypeAAAA:
		family = 6
	default:
		return reply{} // the name may exist, but has no such data
	}
	found, err := s.lookup(ctx, name, family)
	switch {
	case errors.Is(err, ErrNoName):
		return reply{code: dnsmessage.RCodeNameError}
	case err != nil:
		return reply{code: dnsmessage.RCodeServerFailure}
	}
	return reply{addrs: found.Addrs, ttl: found.TTL}
}

// refusal says that the name does not exist, which programs take for an answer
// and do not ask again, and why.
func refusal(d netrule.Decision) reply {
	text := "pysandbox: " + d.Rule
	if d.Hint != "" {
		text += ", allow with " + d.Hint
	}
	return reply{code: dnsmessage.RCodeNameError, text: text}
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
func (s *Server) lookup(ctx context.Context, name string, family int) (Answer, error) {
	now := time.Now()
	if found, ok := s.answers.get(name, family, now); ok {
		return found, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 2*perServer)
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
		host := s.host(addr)
		if !s.config.Rules.MayAnswer(addr, host) {
			s.config.Audit.Record(audit.Record{
				Time: now, Source: audit.SourceKernel, Verdict: audit.Deny, Operation: "resolve", Target: name,
				Original: addr.String(), Name: name, Rule: RuleRebinding, Errno: "ENODATA",
				Hint: s.config.Rules.AnswerHint(name, addr, host),
			})
			continue
		}
		if s.config.Pins.Add(addr, name, found.TTL, now) {
			told = append(told, addr)
		}
	}
	return told
}

// host is what is known of the host about an address, whatever the port.
func (s *Server) host(addr netip.Addr) netrule.HostFacts {
	if s.config.Host == nil {
		return netrule.HostFacts{}
	}
	return s.config.Host(netrule.Endpoint{Addr: netip.AddrPortFrom(addr, 0)})
}

// record tells what was decided about a name, and what the program got where that
// is no address: the name may be allowed and still not be there.
func (s *Server) record(name string, d netrule.Decision, r reply, received time.Time) {
	verdict := audit.Deny
	if d.Verdict == netrule.Allow {
		verdict = audit.Allow
	}
	s.config.Audit.Record(audit.Record{
		Time: received, Source: audit.SourceKernel, Verdict: verdict, Operation: "resolve", Target: name,
		Name: name, Rule: d.Rule, Errno: r.errno(), Hint: d.Hint, Latency: time.Since(received),
	})
}

// errno names what a reply without an address means.
func (r reply) errno() string {
	switch {
	case r.code == dnsmessage.RCodeNameError:
		return "NXDOMAIN"
	case r.code == dnsmessage.RCodeServerFailure:
		return "SERVFAIL"
	case len(r.addrs) == 0:
		return "ENODATA"
	default:
		return ""
	}
}
