package audit

import (
	"strconv"
	"unicode"
	"unicode/utf8"
)

// AppendJSON appends s to dst as a JSON string (RFC 8259). No more than limit
// bytes of s are used; a longer s ends in "…". Bytes that are not UTF-8 become
// U+FFFD, and every character that a terminal or an editor might obey
// (controls, DEL, C1, bidirectional overrides, line separators) is written as
// \uXXXX, so that a log can be read with cat.
func AppendJSON(dst []byte, s string, limit int) []byte {
	s, cut := clip(s, limit)
	dst = append(dst, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, `\n`...)
		case r == '\t':
			dst = append(dst, `\t`...)
		case unicode.IsPrint(r):
			dst = utf8.AppendRune(dst, r)
		case r <= 0xffff:
			dst = appendUnit(dst, r)
		default: // RFC 8259 section 7: a surrogate pair
			dst = appendUnit(dst, 0xd800+(r-0x10000)>>10)
			dst = appendUnit(dst, 0xdc00+(r-0x10000)&0x3ff)
		}
	}
	if cut {
		dst = append(dst, "…"...)
	}
	return append(dst, '"')
}

// AppendText appends s to dst for a person at a terminal: printable characters
// as they are, everything else escaped as in a Go string. No more than limit
// bytes of s are used; a longer s ends in "…".
func AppendText(dst []byte, s string, limit int) []byte {
	s, cut := clip(s, limit)
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			dst = append(dst, '\\', 'x', hexDigit(s[i]>>4), hexDigit(s[i]&15))
		case unicode.IsPrint(r):
			dst = append(dst, s[i:i+size]...)
		default:
			quoted := strconv.QuoteRune(r)
			dst = append(dst, quoted[1:len(quoted)-1]...)
		}
		i += size
	}
	if cut {
		dst = append(dst, "…"...)
	}
	return dst
}

// clip cuts s to at most limit bytes, between characters.
func clip(s string, limit int) (string, bool) {
	if len(s) <= limit {
		return s, false
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit], true
}

func appendUnit(dst []byte, unit rune) []byte {
	return append(dst, '\\', 'u', hexDigit(byte(unit>>12)&15), hexDigit(byte(unit>>8)&15),
		hexDigit(byte(unit>>4)&15), hexDigit(byte(unit)&15))
}

func hexDigit(n byte) byte { return "0123456789abcdef"[n] }
