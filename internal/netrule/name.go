package netrule

import (
	"fmt"
	"strings"

	"golang.org/x/net/idna"
)

// nameError says what a host name would have to be; want reads on from
// "a host name".
type nameError struct{ name, want string }

func (e *nameError) Error() string {
	return fmt.Sprintf("%q is not a host name: expected one %s", e.name, e.want)
}

// maxUnicodeName bounds what is given to IDNA, whose work grows with the square
// of the length: 253 characters of at most four bytes.
const maxUnicodeName = 4 * 253

// CanonicalName gives the one form of a host name that rules are matched by:
// absolute without the trailing dot, lower case, IDNA A-labels (UTS 46,
// non-transitional). Underscores are accepted because service names have them.
// A name that could be read as an address is refused.
func CanonicalName(name string) (string, error) {
	fail := func(want string) (string, error) { return "", &nameError{name, want} }
	canonical := strings.ToLower(strings.TrimSuffix(name, "."))
	if len(canonical) > maxUnicodeName {
		return fail("of at most 253 bytes")
	}
	if needsIDNA(canonical) {
		ascii, err := hostProfile().ToASCII(canonical)
		if err != nil {
			return fail("that IDNA permits")
		}
		canonical = strings.TrimSuffix(strings.ToLower(ascii), ".")
	}
	if len(canonical) > 253 {
		return fail("of at most 253 bytes")
	}
	last := ""
	for label := range strings.SplitSeq(canonical, ".") {
		if want := checkLabel(label); want != "" {
			return fail(want)
		}
		last = label
	}
	if looksNumeric(last) {
		return fail("or an address of four decimal numbers")
	}
	return canonical, nil
}

func hostProfile() *idna.Profile {
	return idna.New(idna.MapForLookup(), idna.BidiRule(), idna.Transitional(false), idna.StrictDomainName(false))
}

func needsIDNA(name string) bool {
	for i := range len(name) {
		if name[i] >= 0x80 {
			return true
		}
	}
	return strings.HasPrefix(name, "xn--") || strings.Contains(name, ".xn--")
}

// checkLabel returns what a label would have to be, or nothing.
func checkLabel(label string) string {
	if label == "" || len(label) > 63 {
		return "whose labels have 1 to 63 bytes"
	}
	for i := range len(label) {
		c := label[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return "of letters, digits, hyphens and dots"
		}
	}
	if label[0] == '-' || label[len(label)-1] == '-' {
		return "whose labels neither begin nor end with a hyphen"
	}
	return ""
}

// looksNumeric reports whether a last label makes resolvers read the name as an
// IPv4 address (inet_aton(3), WHATWG URL "ends in a number").
func looksNumeric(label string) bool {
	digits := strings.TrimPrefix(label, "0x")
	hex := digits != label
	for i := range len(digits) {
		c := digits[i]
		if (c < '0' || c > '9') && (!hex || c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// matchesName reports whether a name rule speaks of name, which is canonical.
func (r Rule) matchesName(name string) bool {
	switch r.Kind {
	case TargetName:
		return name == r.Name
	case TargetSubnames:
		rest, found := strings.CutSuffix(name, r.Name)
		return found && len(rest) > 1 && rest[len(rest)-1] == '.'
	default:
		return false
	}
}
