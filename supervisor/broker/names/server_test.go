package names

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/pysandbox/pysandbox/audit"
	"github.com/pysandbox/pysandbox/audit/audittest"
	"github.com/pysandbox/pysandbox/internal/netrule"
	"github.com/pysandbox/pysandbox/internal/testenv"
)

// world is a real DNS server on the loopback, as the host would use, that counts
// what it is asked.
type world struct {
	mu    sync.Mutex
	asked map[string]int
	zone  map[string][]string
}

const worldAddress = "127.0.0.77"

func startWorld(t *testing.T, zone map[string][]string) *world {
	t.Helper()
	testenv.Need(t, testenv.Root) // port 53 is in resolv.conf(5) by default and cannot be changed there
	w := &world{asked: map[string]int{}, zone: zone}
	packets, err := net.ListenPacket("udp", worldAddress+":53")
	if err != nil {
		t.Fatal(err)
	}
	streams, err := net.Listen("tcp", worldAddress+":53")
	if err != nil {
		t.Fatal(err)
	}
	for _, server := range []*dns.Server{{PacketConn: packets, Handler: w}, {Listener: streams, Handler: w}} {
		go func() { _ = server.ActivateAndServe() }()
	}
	t.Cleanup(func() { _ = packets.Close(); _ = streams.Close() })
	return w
}

func (w *world) ServeDNS(rw dns.ResponseWriter, query *dns.Msg) {
	name := strings.ToLower(query.Question[0].Name)
	w.mu.Lock()
	w.asked[name]++
	w.mu.Unlock()
	reply := new(dns.Msg).SetReply(query)
	records, ok := w.zone[name]
	if !ok {
		reply.Rcode = dns.RcodeNameError
	}
	for _, text := range records {
		rr, err := dns.NewRR(text)
		if err != nil {
			panic(err)
		}
		if rr.Header().Rrtype == query.Question[0].Qtype || rr.Header().Rrtype == dns.TypeCNAME {
			reply.Answer = append(reply.Answer, rr)
		}
	}
	if _, ok := rw.RemoteAddr().(*net.UDPAddr); ok {
		reply.Truncate(dns.MinMsgSize)
	}
	_ = rw.WriteMsg(reply)
}

func (w *world) count(name string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asked[name]
}

// denials are the records of what was refused, allowances those of what was not.
func denials(seen *audittest.Recorder) []string    { return rules(seen, audit.Deny) }
func allowances(seen *audittest.Recorder) []string { return rules(seen, audit.Allow) }

func rules(seen *audittest.Recorder, verdict string) []string {
	var rules []string
	for _, rec := range seen.All() {
		if rec.Verdict == verdict {
			rules = append(rules, strings.TrimSpace(rec.Operation+" "+rec.Target+" "+rec.Rule+" "+rec.Errno))
		}
	}
	return rules
}

// startServer serves the guest's side and returns its address.
func startServer(t *testing.T, allow []string, budget Budget, hosts string) (string, *Pins, *audittest.Recorder) {
	t.Helper()
	var set netrule.Set
	for _, text := range allow {
		rule, err := netrule.Parse(text, "network.allow["+text+"]")
		if err != nil {
			t.Fatal(err)
		}
		set.Allow = append(set.Allow, rule)
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "resolv.conf")
	if err := os.WriteFile(config, []byte("nameserver "+worldAddress+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	hostsPath := filepath.Join(dir, "hosts")
	if err := os.WriteFile(hostsPath, []byte(hosts), 0o600); err != nil {
		t.Fatal(err)
	}
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	streams, err := net.Listen("tcp", packets.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	seen, pins := &audittest.Recorder{}, &Pins{}
	server := New(Config{
		Rules: set, Budget: budget, Pins: pins, Audit: seen,
		Resolver: HostResolver{Hosts: hostsPath, Config: config},
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx, packets, streams) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return packets.LocalAddr().String(), pins, seen
}

func client(t *testing.T, network, server, name string, kind uint16) *dns.Msg {
	t.Helper()
	m := new(dns.Msg).SetQuestion(dns.Fqdn(name), kind)
	m.SetEdns0(1232, false)
	reply, _, err := (&dns.Client{Net: network, Timeout: 5 * time.Second}).Exchange(m, server)
	if err != nil {
		t.Fatalf("%s %s: %v", name, dns.TypeToString[kind], err)
	}
	return reply
}

func addresses(reply *dns.Msg) string {
	var found []string
	for _, rr := range reply.Answer {
		switch rr := rr.(type) {
		case *dns.A:
			found = append(found, rr.A.String())
		case *dns.AAAA:
			found = append(found, rr.AAAA.String())
		}
	}
	return strings.Join(found, " ")
}

func TestNamesThatARuleAllowsAreAnsweredAndPinned(t *testing.T) {
	startWorld(t, map[string][]string{
		"www.example.org.": {
			"www.example.org. 300 CNAME cdn.example.net.", "cdn.example.net. 300 A 203.0.113.7",
			"cdn.example.net. 300 AAAA 2001:db8::7",
		},
	})
	for _, network := range []string{"udp", "tcp"} {
		server, pins, _ := startServer(t, []string{"*.example.org:443"}, Budget{}, "")
		if got := addresses(client(t, network, server, "WWW.Example.org", dns.TypeA)); got != "203.0.113.7" {
			t.Errorf("%s A: %q", network, got)
		}
		if got := addresses(client(t, network, server, "www.example.org", dns.TypeAAAA)); got != "2001:db8::7" {
			t.Errorf("%s AAAA: %q", network, got)
		}
		names := pins.Names(netip.MustParseAddr("203.0.113.7"), time.Now())
		if len(names) != 1 || names[0] != "www.example.org" {
			t.Errorf("%s: pinned %q: the name asked for, not the target of its CNAME", network, names)
		}
		reply := client(t, network, server, "www.example.org", dns.TypeMX)
		if reply.Rcode != dns.RcodeSuccess || len(reply.Answer) != 0 {
			t.Errorf("%s MX: %v, want no data", network, reply)
		}
	}
}

func TestNamesThatNoRuleAllowsAreNotForwarded(t *testing.T) {
	w := startWorld(t, map[string][]string{
		"secret.evil.test.": {"secret.evil.test. 60 A 203.0.113.9"},
		"ok.test.":          {"ok.test. 60 A 203.0.113.8"},
	})
	server, _, seen := startServer(t, []string{"ok.test"}, Budget{}, "")
	if got := addresses(client(t, "udp", server, "ok.test", dns.TypeA)); got != "203.0.113.8" {
		t.Fatalf("control: %q", got)
	}
	reply := client(t, "udp", server, "secret.evil.test", dns.TypeA)
	if reply.Rcode != dns.RcodeNameError || w.count("secret.evil.test.") != 0 {
		t.Errorf("got %s, forwarded %d times", dns.RcodeToString[reply.Rcode], w.count("secret.evil.test."))
	}
	if got := denials(seen); len(got) != 1 || got[0] != "resolve secret.evil.test network.default NXDOMAIN" {
		t.Errorf("denials %q", got)
	}
	if got := allowances(seen); len(got) != 1 || got[0] != "resolve ok.test network.allow[ok.test]" {
		t.Errorf("allowances %q", got)
	}
	if opt := reply.IsEdns0(); opt == nil || len(opt.Option) != 1 ||
		!strings.Contains(opt.Option[0].String(), "--allow-net=secret.evil.test") {
		t.Errorf("the refusal does not say what would allow it: %v", opt)
	}
}

func TestAnswersThatLeadInwardAreRefused(t *testing.T) {
	zone := map[string][]string{}
	for i, addr := range []string{"127.0.0.1", "169.254.169.254", "10.1.2.3", "192.168.0.1", "0.0.0.0", "100.64.0.1"} {
		name := string(rune('a'+i)) + ".rebind.test."
		zone[name] = []string{name + " 60 A " + addr}
	}
	startWorld(t, zone)
	server, pins, seen := startServer(t, []string{"*.rebind.test"}, Budget{}, "")
	for name, records := range zone {
		reply := client(t, "udp", server, name, dns.TypeA)
		if got := addresses(reply); got != "" {
			t.Errorf("%s told %s", records[0], got)
		}
	}
	if got := len(denials(seen)); got != len(zone) {
		t.Errorf("%d denials, want %d", got, len(zone))
	}
	if got := allowances(seen); len(got) != len(zone) || !strings.HasSuffix(got[0], " ENODATA") {
		t.Errorf("allowances %q: each name was allowed and had no address to tell", got)
	}
	if got := pins.Names(netip.MustParseAddr("10.1.2.3"), time.Now()); got != nil {
		t.Errorf("pinned %q to a private address", got)
	}
	server, _, _ = startServer(t, []string{"*.rebind.test", "10.0.0.0/8"}, Budget{}, "")
	if got := addresses(client(t, "udp", server, "c.rebind.test", dns.TypeA)); got != "10.1.2.3" {
		t.Errorf("control: a rule names the address, got %q", got)
	}
}

func TestBudgetBoundsWhatNamesCarryOut(t *testing.T) {
	w := startWorld(t, map[string][]string{"one.test.": {"one.test. 0 A 203.0.113.1"}})
	server, _, seen := startServer(t, []string{"*:80"}, Budget{Names: 2, Bytes: 1000}, "")
	for range 3 { // a name that was paid for stays free
		client(t, "udp", server, "one.test", dns.TypeA)
	}
	client(t, "udp", server, "payload-1.test", dns.TypeA)
	client(t, "udp", server, "payload-2.test", dns.TypeA)
	if w.count("payload-1.test.") != 1 || w.count("payload-2.test.") != 0 {
		t.Errorf("forwarded %d and %d times, want 1 and 0", w.count("payload-1.test."), w.count("payload-2.test."))
	}
	if got := denials(seen); len(got) != 1 || got[0] != "resolve payload-2.test network.dns NXDOMAIN" {
		t.Errorf("denials %q", got)
	}
	if got := allowances(seen); len(got) != 4 || got[3] != "resolve payload-1.test network.allow[*:80] NXDOMAIN" {
		t.Errorf("allowances %q: one for each query, and what it got", got)
	}
	server, _, _ = startServer(t, []string{"*:80"}, Budget{Names: 100, Bytes: 20}, "")
	client(t, "udp", server, "a-label-of-many-bytes.test", dns.TypeA)
	if w.count("a-label-of-many-bytes.test.") != 0 {
		t.Error("a name larger than the budget was forwarded")
	}
}

func TestHostsFileOfTheHostComesFirst(t *testing.T) {
	w := startWorld(t, nil)
	server, _, _ := startServer(t, []string{"*:80"}, Budget{Names: 10, Bytes: 1000},
		"# comment\n203.0.113.5 db.internal db # the database\n")
	if got := addresses(client(t, "udp", server, "db.internal", dns.TypeA)); got != "203.0.113.5" {
		t.Errorf("got %q", got)
	}
	if reply := client(t, "udp", server, "db.internal", dns.TypeAAAA); reply.Rcode != dns.RcodeSuccess || len(reply.Answer) != 0 {
		t.Errorf("the other family: %v", reply)
	}
	if w.count("db.internal.") != 0 {
		t.Error("a server was asked for a name of the hosts file")
	}
}

func TestLargeAnswersTakeTCP(t *testing.T) {
	var records []string
	for i := range 60 {
		records = append(records, "many.test. 60 A 203.0.113."+string(rune('0'+i/10))+string(rune('0'+i%10)))
	}
	for i := range records {
		records[i] = strings.Replace(records[i], "113.0", "113.", 1)
	}
	startWorld(t, map[string][]string{"many.test.": records})
	server, _, _ := startServer(t, []string{"many.test"}, Budget{}, "")
	if got := client(t, "tcp", server, "many.test", dns.TypeA); len(got.Answer) != 60 {
		t.Errorf("%d addresses over TCP, want 60", len(got.Answer))
	}
	m := new(dns.Msg).SetQuestion("many.test.", dns.TypeA) // no EDNS: 512 bytes
	reply, _, err := (&dns.Client{}).Exchange(m, server)
	if err != nil || !reply.Truncated {
		t.Errorf("over UDP: truncated %v, %v", reply != nil && reply.Truncated, err)
	}
}

// Who runs a name's servers chooses what they answer.
func TestAddressesOfAnAnswerAreBounded(t *testing.T) {
	var many, same []string
	for i := range 1000 {
		many = append(many, fmt.Sprintf("many.test. 60 A 203.0.%d.%d", i/250, i%250))
		same = append(same, "same.test. 60 A 203.0.113.1")
	}
	startWorld(t, map[string][]string{"many.test.": many, "same.test.": same})
	server, _, _ := startServer(t, []string{"many.test", "same.test"}, Budget{}, "")
	for name, want := range map[string]int{"many.test": 256, "same.test": 1} {
		if got := client(t, "tcp", server, name, dns.TypeA); len(got.Answer) != want {
			t.Errorf("%d addresses of %s, want %d", len(got.Answer), name, want)
		}
	}
}
