package audit

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestAppendJSON(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"plain", "tcp://203.0.113.9:443", `"tcp://203.0.113.9:443"`},
		{"quote and backslash", `a"b\c`, `"a\"b\\c"`},
		{"newline and tab", "a\nb\tc", `"a\nb\tc"`},
		{"nul", "a\x00b", `"a\u0000b"`},
		{"terminal escape", "\x1b[2J", `"\u001b[2J"`},
		{"c1 control sequence introducer", "\u009b2J", `"\u009b2J"`},
		{"right-to-left override", "a\u202eb", `"a\u202eb"`},
		{"line separator", "a\u2028b", `"a\u2028b"`},
		{"tag outside the basic plane", "\U000e0041", `"\udb40\udc41"`},
		{"letters stay", "straße 日本 😀", `"straße 日本 😀"`},
		{"not utf-8", "a\xffb", `"a` + "\ufffd" + `b"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := string(AppendJSON(nil, c.in, 100)); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestAppendClips(t *testing.T) {
	if got, want := string(AppendJSON(nil, "ab日", 4)), `"ab…"`; got != want {
		t.Errorf("json: got %s, want %s", got, want)
	}
	if got, want := string(AppendText(nil, strings.Repeat("x", 10), 3)), "xxx…"; got != want {
		t.Errorf("text: got %s, want %s", got, want)
	}
	if got, want := string(AppendText(nil, "xxx", 3)), "xxx"; got != want {
		t.Errorf("text that fits: got %s, want %s", got, want)
	}
}

func TestAppendText(t *testing.T) {
	in := "a\x1b[31m\x07\u202e\xff\U000e0041 é"
	if got, want := string(AppendText(nil, in, 100)), `a\x1b[31m\a\u202e\xff\U000e0041 é`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func FuzzAppend(f *testing.F) {
	f.Add("\x1b]0;x\x07", 4)
	f.Add("日\xff\u202e\U000e0041", 3)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		if limit < 0 || limit > 1<<16 {
			return
		}
		line := AppendJSON(nil, s, limit)
		var back string
		if err := json.Unmarshal(line, &back); err != nil {
			t.Fatalf("%q is not JSON: %v", line, err)
		}
		if len(s) <= limit && utf8.ValidString(s) && back != s {
			t.Fatalf("%q came back as %q", s, back)
		}
		for _, form := range [][]byte{line, AppendText(nil, s, limit)} {
			for _, r := range string(form) {
				if !unicode.IsPrint(r) {
					t.Fatalf("%q holds %U", form, r)
				}
			}
		}
	})
}
