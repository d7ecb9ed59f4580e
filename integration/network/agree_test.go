package network

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/internal/netrule"
)

// Ports of the ledger.
const ledgerPort, ledgerPortOther = 2001, 2002

// TestPlanesAgree goes to random targets under random rules in every way that
// there is (connect at once and later, sendto, a connected socket, sendmsg,
// sendmmsg, lookups) and judges at the servers: what arrived is what the rules
// say, by whichever way, and what did not was refused where a call can say so.
func TestPlanesAgree(t *testing.T) {
	needWorld(t)
	l := openLedger(t, ledgerPort, ledgerPortOther)
	dir := programs(t)
	rounds := 24
	if testing.Short() {
		rounds = 3
	}
	allowed, denied := 0, 0
	for seed := range rounds {
		q := newQuestions(t, uint64(seed))
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			who := []account{root(), user()}[seed%2]
			a, d := q.judge(t, q.ask(t, who, dir), l)
			allowed, denied = allowed+a, denied+d
		})
	}
	if allowed < 10 || denied < 10 {
		t.Errorf("the rules allowed %d targets and denied %d: they decide nothing", allowed, denied)
	}
}

// questions are rules and what is tried under them.
type questions struct {
	allow, deny []string
	set         netrule.Set
	names       []string
	targets     []questionedTarget
}

type questionedTarget struct {
	addr netip.AddrPort
	word string
}

// replies are what agree.py says.
type replies struct {
	Names map[string][]string `json:"names"`
	Ways  map[string]string   `json:"ways"`
}

// namesOfPeer are names of the zone and where they lead.
func namesOfPeer() map[string][]string {
	return map[string][]string{
		"www.example.test":  {peer, peer6},
		"four.example.test": {peer},
		"a.b.deep.test":     {peer},
		"deep.test":         {peer},
		"other.test":        {peer},
		"inner.rebind.test": {privatePeer},
	}
}

func newQuestions(t *testing.T, seed uint64) *questions {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 7))
	pick := func(of ...string) string { return of[random.IntN(len(of))] }
	rule := func() string {
		target := pick(peer, peerOther, privatePeer, "["+peer6+"]", "203.0.113.80/31", "10.0.0.0/8", "[2001:db8::/32]",
			"*", "private", "any", "www.example.test", "*.example.test", "*.deep.test", "other.test", "inner.rebind.test")
		port := pick("2001", "2002", "2001,2002", "2000-2100")
		return pick("tcp", "udp") + "://" + target + ":" + port
	}
	q := &questions{names: slices.Sorted(maps.Keys(namesOfPeer()))}
	for valid := false; !valid; valid = len(q.set.Problems()) == 0 { // some contradict themselves
		q.allow, q.deny = []string{rule()}, nil
		for range random.IntN(4) {
			q.allow = append(q.allow, rule())
		}
		for range random.IntN(3) {
			q.deny = append(q.deny, rule())
		}
		q.set = netrule.Set{Allow: parseRules(t, q.allow), Deny: parseRules(t, q.deny)}
	}
	random.Shuffle(len(q.names), func(i, j int) { q.names[i], q.names[j] = q.names[j], q.names[i] })
	q.names = q.names[:random.IntN(len(q.names)+1)]
	for _, address := range []string{
		peer, peerOther, privatePeer, peer6, "::ffff:" + peer, "::ffff:" + privatePeer, hostAddress, hostAddress6,
	} {
		for _, port := range []uint16{ledgerPort, ledgerPortOther} {
			q.targets = append(q.targets, questionedTarget{
				addr: netip.AddrPortFrom(netip.MustParseAddr(address), port),
				word: fmt.Sprintf("%d %s %d", seed, address, port),
			})
		}
	}
	return q
}

func parseRules(t *testing.T, texts []string) []netrule.Rule {
	t.Helper()
	var rules []netrule.Rule
	for _, text := range texts {
		rule, err := netrule.Parse(text, text)
		if err != nil {
			t.Fatal(err)
		}
		rules = append(rules, rule)
	}
	return rules
}

// ask runs the program.
func (q *questions) ask(t *testing.T, who account, dir string) replies {
	t.Helper()
	policy := fmt.Sprintf("version = 1\n[network]\nallow = %s\ndeny = %s\n[limits]\nconnections = 2000\n", list(q.allow), list(q.deny))
	s := scene{program: "agree", flags: []string{"--policy=" + policyFile(t, policy)}}
	var targets [][]any
	for _, target := range q.targets {
		targets = append(targets, []any{target.addr.Addr().String(), target.addr.Port(), target.word})
	}
	asked, err := json.Marshal(map[string]any{"names": q.names, "targets": targets})
	if err != nil {
		t.Fatal(err)
	}

	cmd, report := s.command(t, who, dir)
	cmd.Stdin = strings.NewReader(string(asked))
	run := execute(t, who, nil, cmd)
	readReport(t, report, run)
	var got replies
	if err := json.Unmarshal([]byte(run.stdout), &got); err != nil || run.status != 0 {
		t.Fatalf("status %d: %v\n%s%s", run.status, err, run.stdout, run.stderr)
	}
	return got
}

// list writes strings as TOML and JSON do.
func list(texts []string) string {
	text, _ := json.Marshal(append([]string{}, texts...))
	return string(text)
}

// judge compares what happened with the rules and returns how many targets they
// allow and deny.
func (q *questions) judge(t *testing.T, got replies, l *ledger) (allowed, denied int) {
	t.Helper()
	pinned := q.judgeNames(t, got)
	protocols := map[string]netrule.Protocol{
		"stream": netrule.TCP, "stream_later": netrule.TCP,
		"sendto": netrule.UDP, "sendto_another": netrule.UDP, "connected_send": netrule.UDP, "sendmsg": netrule.UDP, "sendmmsg": netrule.UDP,
	}
	arrives := map[string]bool{}
	for _, target := range q.targets {
		for way, protocol := range protocols {
			d := q.set.Decide(netrule.Endpoint{Protocol: protocol, Addr: target.addr, Names: pinned[target.addr.Addr().Unmap()]}, hostOfWorld())
			arrives[way+" "+target.word] = d.Verdict == netrule.Allow
		}
	}
	var expected []string
	for word, arrive := range arrives {
		if arrive {
			expected = append(expected, word)
		}
	}
	missing := l.await(expected)
	for word, arrive := range arrives {
		way, _, _ := strings.Cut(word, " ")
		if l.has(word) != arrive {
			t.Errorf("%q: arrived: %v, allowed: %v, the program heard %q\nallow %q deny %q", word, l.has(word), arrive, got.Ways[word], q.allow, q.deny)
		}
		if tells := protocols[way] == netrule.TCP || strings.HasPrefix(way, "sendto"); tells && (got.Ways[word] == "EACCES") == arrive {
			t.Errorf("%q: the program heard %q, allowed: %v\nallow %q deny %q", word, got.Ways[word], arrive, q.allow, q.deny)
		}
	}
	return len(expected) - len(missing), len(arrives) - len(expected)
}

// judgeNames compares what lookups said with the rules, and returns the names by
// address that the program was told of.
func (q *questions) judgeNames(t *testing.T, got replies) map[netip.Addr][]string {
	t.Helper()
	pinned := map[netip.Addr][]string{}
	for _, name := range q.names {
		var want []string
		if q.set.DecideName(name, 0).Verdict == netrule.Allow {
			for _, address := range namesOfPeer()[name] {
				if addr := netip.MustParseAddr(address); q.set.MayAnswer(addr, hostOfWorld()) {
					want = append(want, address)
					pinned[addr] = append(pinned[addr], name)
				}
			}
		}
		slices.Sort(want)
		heard := slices.DeleteFunc(got.Names[name], func(text string) bool { return strings.HasPrefix(text, "gaierror") })
		if !slices.Equal(heard, want) {
			t.Errorf("%s led to %q, want %q\nallow %q deny %q", name, got.Names[name], want, q.allow, q.deny)
		}
	}
	return pinned
}

// hostOfWorld is what the engine is told of the host.
func hostOfWorld() netrule.HostFacts {
	return netrule.HostFacts{Local: []netip.Addr{netip.MustParseAddr(hostAddress), netip.MustParseAddr(hostAddress6)}}
}
