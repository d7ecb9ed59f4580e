package names

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/miekg/dns"
)

// Answer is what the host knows of a name.
type Answer struct {
	Addrs []netip.Addr
	TTL   time.Duration
}

// ErrNoName says that the name does not exist (NXDOMAIN).
var ErrNoName = errors.New("no such name")

// Resolver looks names up on the host. An empty answer without an error means
// that the name exists but has no address of that family.
type Resolver interface {
	Resolve(ctx context.Context, name string, family int) (Answer, error)
}

// hostsTTL is what an entry of /etc/hosts is good for.
const hostsTTL = time.Minute

// HostResolver resolves as the host does: first /etc/hosts, then the servers of
// /etc/resolv.conf (resolv.conf(5)). Search lists are left out: a name means the
// same for every host.
type HostResolver struct {
	Hosts  string // path, "/etc/hosts" if empty
	Config string // path, "/etc/resolv.conf" if empty
}

// Resolve looks name up; family is 4 or 6.
func (r HostResolver) Resolve(ctx context.Context, name string, family int) (Answer, error) {
	addrs, known, err := lookupHosts(orDefault(r.Hosts, "/etc/hosts"), name, family)
	if err != nil {
		return Answer{}, err
	}
	if known {
		return Answer{addrs, hostsTTL}, nil
	}
	config, err := dns.ClientConfigFromFile(orDefault(r.Config, "/etc/resolv.conf"))
	if err != nil {
		return Answer{}, fmt.Errorf("read the host's resolver configuration: %w", err)
	}
	err = errors.New("the host names no server")
	for range max(config.Attempts, 1) {
		for _, server := range config.Servers {
			var answer Answer
			answer, err = ask(ctx, net.JoinHostPort(server, config.Port), name, family)
			if err == nil || errors.Is(err, ErrNoName) {
				return answer, err
			}
		}
	}
	return Answer{}, fmt.Errorf("resolve %s: %w", name, err)
}

func orDefault(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// perServer is how long one server may take: resolv.conf(5)'s own default.
const perServer = 5 * time.Second

// ask sends one question, over TCP when the answer did not fit in a datagram.
func ask(ctx context.Context, server, name string, family int) (Answer, error) {
	kind := dns.TypeA
	if family == 6 {
		kind = dns.TypeAAAA
	}
	m := new(dns.Msg)
	m.SetQuestion(dns.Fqdn(name), kind)
	m.SetEdns0(1232, false)
	ctx, cancel := context.WithTimeout(ctx, perServer)
	defer cancel()
	reply, _, err := (&dns.Client{Net: "udp"}).ExchangeContext(ctx, m, server)
	if err == nil && reply.Truncated {
		reply, _, err = (&dns.Client{Net: "tcp"}).ExchangeContext(ctx, m, server)
	}
	if err != nil {
		return Answer{}, err
	}
	switch reply.Rcode {
	case dns.RcodeSuccess:
		return readAnswer(reply), nil
	case dns.RcodeNameError:
		return Answer{}, ErrNoName
	default:
		return Answer{}, fmt.Errorf("server %s answered %s", server, dns.RcodeToString[reply.Rcode])
	}
}

// readAnswer takes the addresses, whatever chain of CNAMEs led to them: the
// server followed it, and the name asked for is the one that rules speak of.
func readAnswer(reply *dns.Msg) Answer {
	a := Answer{TTL: longestPin}
	for _, rr := range reply.Answer {
		var ip net.IP
		switch rr := rr.(type) {
		case *dns.A:
			ip = rr.A
		case *dns.AAAA:
			ip = rr.AAAA
		}
		a.TTL = min(a.TTL, time.Duration(rr.Header().Ttl)*time.Second)
		if addr, ok := netip.AddrFromSlice(ip); ok {
			a.Addrs = append(a.Addrs, addr.Unmap())
		}
	}
	return a
}
