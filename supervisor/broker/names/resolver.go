package names

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"
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
	u, err := readUpstream(orDefault(r.Config, "/etc/resolv.conf"))
	if err != nil {
		return Answer{}, err
	}
	for range u.attempts {
		for _, server := range u.servers {
			var answer Answer
			answer, err = ask(ctx, server.String(), name, family)
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
