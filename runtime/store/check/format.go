package check

import (
	"net/netip"
	"net/url"
	"strings"
	"unicode/utf8"
)

// Format is the form of a text that more than a pattern is needed for.
type Format string

// The formats.
const (
	Email Format = "email" // one mailbox: local@domain.tld, without a display name
	URL   Format = "url"   // absolute, http or https, with a host
	Slug  Format = "slug"  // lower-case letters, digits and single hyphens between them
)

// broken returns what is wrong with a text of this format, "" when nothing is.
func (f Format) broken(s string) string {
	switch f {
	case Email:
		if !isEmail(s) {
			return "must be an email address, such as ann@example.com"
		}
	case URL:
		if !isURL(s) {
			return "must be a full web address, such as https://example.com/page"
		}
	case Slug:
		if !isSlug(s) {
			return "must hold only lower-case letters, digits and single hyphens, such as my-first-post"
		}
	}
	return ""
}

// isEmail accepts what mail servers deliver in practice: the dot-atom form of
// RFC 5322 (and of RFC 6531 for other scripts), with a domain of at least two
// labels. Quoted local parts, address literals and comments are refused.
func isEmail(s string) bool {
	at := strings.LastIndexByte(s, '@')
	if at < 1 || at > 64 || len(s) > 254 {
		return false
	}
	local, domain := s[:at], s[at+1:]
	for part := range strings.SplitSeq(local, ".") {
		if part == "" || strings.ContainsFunc(part, func(r rune) bool { return !isAtom(r) }) {
			return false
		}
	}
	return isDomain(domain) && strings.Contains(domain, ".")
}

func isAtom(r rune) bool {
	return isLetterOrDigit(r) || strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r)
}

// isLetterOrDigit takes any letter of another script for one: what a domain
// may hold there is the registry's to say.
func isLetterOrDigit(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r > 0xa0 && r != utf8.RuneError && !isSpaceOrControl(r)
}

func isSpaceOrControl(r rune) bool {
	return r <= ' ' || r >= 0x7f && r <= 0xa0 || r == 0x1680 || r >= 0x2000 && r <= 0x200f || r >= 0x2028 && r <= 0x202f || r >= 0x205f && r <= 0x206f || r == 0x3000 || r == 0xfeff
}

func isDomain(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	labels := strings.Split(s, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		if strings.ContainsFunc(label, func(r rune) bool { return r != '-' && !isLetterOrDigit(r) }) {
			return false
		}
	}
	last := labels[len(labels)-1]
	return strings.ContainsFunc(last, func(r rune) bool { return r < '0' || r > '9' })
}

func isURL(s string) bool {
	if strings.ContainsFunc(s, isSpaceOrControl) {
		return false
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return false
	}
	host := u.Hostname()
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return isHost(host)
}

// isHost also takes names that only a private network knows: localhost, or
// names with an underscore.
func isHost(s string) bool {
	return isDomain(strings.TrimSuffix(strings.ReplaceAll(s, "_", "-x-"), "."))
}

func isSlug(s string) bool {
	if s == "" || s[0] == '-' || s[len(s)-1] == '-' || strings.Contains(s, "--") {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c != '-' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}
