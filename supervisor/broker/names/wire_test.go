package names

import (
	"context"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/pysandbox/pysandbox/audit"
	"github.com/pysandbox/pysandbox/internal/netrule"
)

type noResolver struct{}

func (noResolver) Resolve(context.Context, string, int) (Answer, error) { return Answer{}, ErrNoName }

// Whatever a guest sends gets nothing or one message that a resolver can read,
// with the id it sent.
func FuzzAnswerPacket(f *testing.F) {
	question, err := newQuestion("www.example.org", 4)
	if err != nil {
		f.Fatal(err)
	}
	good, err := packQuestion(dnsmessage.Header{ID: 7}, question)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:12])
	f.Add(append(good[:len(good)-2:len(good)-2], 0xff, 0xff))
	f.Add([]byte{})
	server := New(Config{Rules: netrule.Set{}, Resolver: noResolver{}, Audit: make(discard), Pins: &Pins{}})
	f.Fuzz(func(t *testing.T, packet []byte) {
		answer := server.answerPacket(t.Context(), packet, false)
		if answer == nil {
			return
		}
		var p dnsmessage.Parser
		header, err := p.Start(answer)
		if err != nil {
			t.Fatalf("unreadable answer %x: %v", answer, err)
		}
		if !header.Response || header.ID != uint16(packet[0])<<8|uint16(packet[1]) {
			t.Errorf("header %+v", header)
		}
		if err := p.SkipAllQuestions(); err != nil {
			t.Errorf("questions: %v", err)
		}
	})
}

type discard chan struct{}

func (discard) Record(audit.Record) {}
