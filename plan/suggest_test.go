package plan_test

import "testing"

func TestHintsForWritingAreRefusedToNobody(t *testing.T) {
	r, err := resolveWith(t, nil, script(), fixedHost())
	if err != nil {
		t.Fatal(err)
	}
	for directory, want := range map[string]bool{
		"/srv/out": true, "/var/lib/job": true, "/home/ann/job": true, "/opt": true, "/etcetera": true,
		"/": false, "/etc": false, "/etc/ssl": false, "/usr/lib/python3.12/site-packages": false, "/usr": false,
		"/home": false, "/tmp": false, "/proc/self": false, "/dev": false, "relative": false, "/srv/../etc": false,
	} {
		if got := r.SuggestsWrite(directory); got != want {
			t.Errorf("%s: %v", directory, got)
		}
	}
}

func TestNoHintNamesWhatNoRuleReaches(t *testing.T) {
	r, err := resolveWith(t, nil, script(), fixedHost())
	if err != nil {
		t.Fatal(err)
	}
	for target, want := range map[string]bool{
		"tcp://203.0.113.9:443": true, "www.example.net": true, "udp://[2001:db8::9]:53": true,
		"tcp://169.254.169.254:80": false, "tcp://[::ffff:169.254.169.254]:80": false,
		"tcp://[fd00:ec2::254]:80": false,
		"tcp://192.0.2.10:80":      false, "udp://192.0.2.10:53": false, "tcp://[::ffff:192.0.2.10]:80": false,
		"tcp://192.0.2.11:80": true, "tcp://127.0.0.1:80": false, "tcp://203.0.113.9:0": false,
		"tcp://224.0.0.1:80": false, "udp://224.0.0.1:80": true,
	} {
		if got := r.SuggestsNetwork(target); got != want {
			t.Errorf("%s: %v", target, got)
		}
	}
}
