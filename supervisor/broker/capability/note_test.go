package capability

import "testing"

type some struct{}

func (some) SuggestsWrite(directory string) bool { return directory == "/srv" }
func (some) SuggestsNetwork(target string) bool  { return target != "tcp://169.254.169.254:80" }

func TestHintsOfNotes(t *testing.T) {
	for _, c := range []struct{ operation, target, rule, want string }{
		{"open", "/srv/x", "files.write", "--allow-write=/srv where you may write yourself"},
		{"open", "/etc/x", "files.write", ""},
		{"open", "/srv/../etc/x", "files.write", ""},
		{"open", "/srv/x;reboot", "files.write", ""},
		{"connect", "tcp://203.0.113.9:443", "network.default", "--allow-net=tcp://203.0.113.9:443"},
		{"connect", "tcp://[2001:db8::9]:443", "network.default", "--allow-net=tcp://[2001:db8::9]:443"},
		{"connect", "tcp://169.254.169.254:80", "network.default", ""},
		{"resolve", "www.example.net", "network.default", "--allow-net=www.example.net"},
		{"resolve", "www.example.net --host-loopback=22", "network.default", ""},
		{"open", "/srv/x", "network.default", ""},
	} {
		if got := hintFor(c.operation, c.target, c.rule, some{}); got != c.want {
			t.Errorf("%s %s by %s: %q, want %q", c.operation, c.target, c.rule, got, c.want)
		}
	}
}
