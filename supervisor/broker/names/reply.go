package names

import (
	"time"

	"github.com/miekg/dns"

	"github.com/pysandbox/pysandbox/internal/netrule"
)

// addressReply answers with every address under the name that was asked for.
func addressReply(query *dns.Msg, found Answer) *dns.Msg {
	reply := new(dns.Msg).SetReply(query)
	reply.RecursionAvailable = true
	head := dns.RR_Header{
		Name:  query.Question[0].Name,
		Class: dns.ClassINET,
		Ttl:   uint32(found.TTL / time.Second),
	}
	for _, addr := range found.Addrs {
		if addr.Is4() {
			head.Rrtype = dns.TypeA
			reply.Answer = append(reply.Answer, &dns.A{Hdr: head, A: addr.AsSlice()})
		} else {
			head.Rrtype = dns.TypeAAAA
			reply.Answer = append(reply.Answer, &dns.AAAA{Hdr: head, AAAA: addr.AsSlice()})
		}
	}
	return reply
}

// explained adds the reason of a refusal for clients that speak EDNS (RFC 8914,
// code 17: filtered).
func explained(reply, query *dns.Msg, d netrule.Decision) *dns.Msg {
	if query.IsEdns0() == nil {
		return reply
	}
	text := "pysandbox: " + d.Rule
	if d.Hint != "" {
		text += ", allow with " + d.Hint
	}
	reply.SetEdns0(dns.DefaultMsgSize, false)
	opt := reply.IsEdns0()
	opt.Option = append(opt.Option, &dns.EDNS0_EDE{
		InfoCode:  dns.ExtendedErrorCodeFiltered,
		ExtraText: text,
	})
	return reply
}
