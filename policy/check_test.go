package policy

import (
	"strings"
	"testing"
)

func TestCheckWarns(t *testing.T) {
	dir := tree(t, map[string]string{
		"quiet.toml": "version = 1\nextends = \"http-only\"\n[network]\nallow = [\"private\", \"203.0.113.0/24\"]\n",
		"wide.toml": `version = 1
extends = "web-client"
[network]
allow = [
  "any", "0.0.0.0/0", "[::/0]:80", "link-local:80", "tcp://10.1.2.3:5432",
  "tcp://private:80", "udp://10.1.2.3:53", "203.0.113.9:80,443", "203.0.113.9:81",
]
deny = ["203.0.113.0/24:1-80,443"]
[limits]
pids = 10
`,
		"slips.toml": "version = 1\nnetwork.allow = [\"privat:80\", \"lnk-local:80\", \"primary\", \"private.example\"]\nnetwork.deny = [\"anny\"]\n",
		"names.toml": "version = 1\n[network]\nallow = [\"*.example.org\", \"x.example.org\", \"*.a.example.org\"]\ndeny = [\"*.example.org\"]\n",
	})
	for file, want := range map[string][]string{
		"quiet.toml": nil,
		"slips.toml": {
			`slips.toml:2:18: network.allow[0] ("privat:80"): it is the name of a host; did you mean the word "private"?`,
			`slips.toml:2:31: network.allow[1] ("lnk-local:80"): it is the name of a host; did you mean the word "link-local"?`,
			`slips.toml:3:17: network.deny[0] ("anny"): it is the name of a host; did you mean the word "any"?`,
		},
		"wide.toml": {
			`wide.toml:5:3: network.allow[1] ("any"): it reaches private networks`,
			`wide.toml:5:10: network.allow[2] ("0.0.0.0/0"): it reaches private networks`,
			`wide.toml:5:23: network.allow[3] ("[::/0]:80"): it reaches private networks`,
			`wide.toml:5:36: network.allow[4] ("link-local:80"): it reaches the cloud's metadata service`,
			`wide.toml:5:36: network.allow[4] ("link-local:80"): it allows nothing, because deny beats allow: network.deny[1] ("link-local", preset:web-client:27:3)`,
			`wide.toml:5:53: network.allow[5] ("tcp://10.1.2.3:5432"): it allows nothing, because deny beats allow: network.deny[0] ("private"`,
			`wide.toml:6:3: network.allow[6] ("tcp://private:80"): it allows nothing`,
			`wide.toml:6:23: network.allow[7] ("udp://10.1.2.3:53"): it allows nothing, because deny beats allow: network.deny[2] ("udp://private:1-65535"`,
			`wide.toml:6:44: network.allow[8] ("203.0.113.9:80,443"): it allows nothing, because deny beats allow: network.deny[4]`,
		},
		"names.toml": {
			`names.toml:3:10: network.allow[0] ("*.example.org"): it allows nothing`,
			`names.toml:3:27: network.allow[1] ("x.example.org"): it allows nothing`,
			`names.toml:3:44: network.allow[2] ("*.a.example.org"): it allows nothing`,
		},
	} {
		_, warnings, err := Check(file, dir)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		var got []string
		for _, warning := range warnings {
			got = append(got, warning.Error())
		}
		if len(got) != len(want) {
			t.Errorf("%s: %d warnings, want %d:\n%s", file, len(got), len(want), strings.Join(got, "\n"))
			continue
		}
		for i := range want {
			if !strings.HasPrefix(got[i], want[i]) {
				t.Errorf("%s: %q, want %q", file, got[i], want[i])
			}
		}
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]Size{
		"0": 0, "1": 1, "1000": 1000, "64K": 64 << 10, "64k": 64 << 10, "64KiB": 64 << 10, "64kib": 64 << 10,
		"512M": 512 << 20, "512MiB": 512 << 20, "1G": 1 << 30, "2TiB": 2 << 40, "8191T": 8191 << 40, "8388607T": 8388607 << 40,
	} {
		got, err := ParseSize(text)
		if err != nil || got != want {
			t.Errorf("ParseSize(%q) = %v, %v; want %d", text, got, err, want)
			continue
		}
		again, err := ParseSize(got.String())
		if err != nil || again != got {
			t.Errorf("ParseSize(%q), which %q is written as, is %v, %v", got.String(), text, again, err)
		}
	}
	for _, text := range []string{"", "M", "-1", "+1", "1.5G", "1 M", "1MB", "1Mi", "1iB", "1KK", "8388608T", "99999999999999999999", "0x10", "1_000"} {
		if got, err := ParseSize(text); err == nil {
			t.Errorf("ParseSize(%q) = %v", text, got)
		}
	}
	for size, want := range map[Size]string{0: "0", 1023: "1023", 1024: "1KiB", 1536 << 10: "1536KiB", 512 << 20: "512MiB"} {
		if got := size.String(); got != want {
			t.Errorf("size %d is written %q, want %q", int64(size), got, want)
		}
	}
}
