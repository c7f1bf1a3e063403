package mail

import (
	"fmt"
	netmail "net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// Lengths of an address, in bytes (RFC 5321, section 4.5.3.1, and its erratum 1690).
const (
	maxLocal   = 64
	maxEmail   = 254
	maxName    = 256
	maxAddress = 4096 // as written, with its name
)

// domains is how domains are written: as browsers do, with lengths verified. Hyphens are
// checked apart, because "ab--cd.example" is in use.
var domains = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(true),
	idna.VerifyDNSLength(true), idna.CheckHyphens(false), idna.Transitional(false))

// ParseAddress parses one address as RFC 5322 and RFC 6531 write it, with or without a display
// name: "ann@example.com", "Ann <ann@example.com>", `"Doe, Ann" <ann@example.com>`. The name
// may be encoded (RFC 2047); the domain may be internationalised, as Unicode or Punycode.
//
// Not everything that the grammar allows is accepted. Comments, groups, source routes, address
// literals ([192.0.2.1]) and local parts that need quotes are refused: hardly anybody has such
// an address, and what is between quotes can carry parameters of SMTP. So are control
// characters anywhere, and what is longer than RFC 5321 permits. From names, characters that
// change the direction of text (U+202E and the like) are removed; elsewhere they are refused.
//
// Errors are ErrInvalid.
func ParseAddress(text string) (Address, error) {
	a, problem := parseAddress(text)
	if problem != "" {
		return Address{}, &InvalidError{Field: "address", Problem: problem}
	}
	return a, nil
}

func parseAddress(text string) (Address, string) {
	if len(text) > maxAddress {
		return Address{}, fmt.Sprintf("%d bytes; at most %d are permitted", len(text), maxAddress)
	}
	if problem := lineProblem(text); problem != "" {
		return Address{}, fmt.Sprintf("%.300q: %s", text, problem)
	}
	if problem := notPlain(text); problem != "" {
		return Address{}, fmt.Sprintf("%.300q: %s", text, problem)
	}
	parsed, err := netmail.ParseAddress(text)
	if err != nil {
		return Address{}, fmt.Sprintf("%.300q is not an address: %s", text, syntaxProblem(text, err))
	}
	a := Address{Name: cleanName(parsed.Name), Email: parsed.Address}
	if problem := a.normalise(); problem != "" {
		return Address{}, fmt.Sprintf("%.300q: %s", text, problem)
	}
	return a, ""
}

// syntaxProblem says why text could not be parsed. The parser's own words are for what has a
// name; of a mailbox alone it says hardly anything.
func syntaxProblem(text string, err error) string {
	a := Address{Email: strings.TrimSpace(text)}
	if problem := a.normalise(); problem != "" && !strings.ContainsAny(text, `"<>, `) {
		return problem
	}
	return strings.TrimPrefix(err.Error(), "mail: ")
}

// notPlain says which part of the grammar text uses that is not accepted. What is between
// quotes is not looked at.
func notPlain(text string) string {
	quoted, angle := false, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '<':
			angle = true
		case c == '(' || c == ')':
			return "a comment; put a name with parentheses in quotes"
		case c == '[' || c == ']':
			return "an address literal; only domains are accepted"
		case c == ';' || c == ':' && !angle:
			return "a group; name the recipients one by one"
		case c == ':':
			return "a source route; name the mailbox alone"
		}
	}
	return ""
}

// cleanName returns a display name without characters that change its direction. Marks, which
// change nothing around them, stay.
func cleanName(name string) string {
	name = strings.Map(func(r rune) rune {
		if isBidi(r) && !isBidiMark(r) {
			return -1
		}
		return r
	}, name)
	return strings.TrimSpace(name)
}

// normalise checks the name and the mailbox, and writes the domain in lower case.
func (a *Address) normalise() string {
	if len(a.Name) > maxName {
		return fmt.Sprintf("the name has %d bytes; at most %d are permitted", len(a.Name), maxName)
	}
	if problem := lineProblem(a.Name); problem != "" {
		return "the name has " + problem
	}
	at := strings.LastIndexByte(a.Email, '@')
	if at < 0 {
		return "no @"
	}
	local, domain := a.Email[:at], a.Email[at+1:]
	if problem := localProblem(local); problem != "" {
		return problem
	}
	ascii, problem := domainASCII(domain)
	if problem != "" {
		return problem
	}
	if n := len(local) + 1 + len(ascii); n > maxEmail {
		return fmt.Sprintf("%d bytes; at most %d are permitted", n, maxEmail)
	}
	unicode, err := domains.ToUnicode(ascii)
	if err != nil {
		return fmt.Sprintf("domain %q is not valid", domain)
	}
	a.Email = local + "@" + unicode
	return ""
}

// localProblem says why a local part is not a Dot-string of RFC 5321 and RFC 6531.
func localProblem(local string) string {
	switch {
	case local == "":
		return "nothing before the @"
	case len(local) > maxLocal:
		return fmt.Sprintf("%d bytes before the @; at most %d are permitted", len(local), maxLocal)
	case !utf8.ValidString(local):
		return "not valid UTF-8"
	case local[0] == '.' || local[len(local)-1] == '.' || strings.Contains(local, ".."):
		return "before the @, a dot is not between two other characters"
	}
	for _, r := range local {
		if r != '.' && !isAtext(r) {
			return fmt.Sprintf("%q before the @; quoted local parts are not accepted", r)
		}
	}
	return ""
}

// isAtext reports whether a character is atext of RFC 5322, or one of another alphabet.
func isAtext(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9':
		return true
	case r < utf8.RuneSelf:
		return strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r)
	}
	return r != utf8.RuneError && unicode.IsGraphic(r) && !unicode.IsSpace(r)
}

// domainASCII returns a domain as DNS has it.
func domainASCII(domain string) (ascii, problem string) {
	ascii, err := domains.ToASCII(domain)
	if err != nil {
		return "", fmt.Sprintf("domain %q is not valid", domain)
	}
	last := ""
	for label := range strings.SplitSeq(ascii, ".") {
		if label == "" || label[0] == '-' || label[len(label)-1] == '-' {
			return "", fmt.Sprintf("domain %q is not valid", domain)
		}
		last = label
	}
	if strings.Trim(last, "0123456789") == "" {
		return "", fmt.Sprintf("domain %q is an IP address; only domains are accepted", domain)
	}
	return ascii, ""
}

// ASCII returns the mailbox as SMTP sends it, the domain as Punycode. It returns false where
// the local part is not ASCII, so that only servers with SMTPUTF8 (RFC 6531) take it, and "" and
// false for an address that ParseAddress would not have returned.
func (a Address) ASCII() (string, bool) {
	at := strings.LastIndexByte(a.Email, '@')
	if at < 0 || localProblem(a.Email[:at]) != "" {
		return "", false
	}
	domain, problem := domainASCII(a.Email[at+1:])
	if problem != "" {
		return "", false
	}
	return a.Email[:at+1] + domain, isASCII(a.Email[:at])
}

// Domain returns what is behind the @, as DNS has it; "" where there is none.
func (a Address) Domain() string {
	email, _ := a.ASCII()
	return email[strings.LastIndexByte(email, '@')+1:]
}

// Key returns what addresses of the same mailbox have in common: lower case, the domain as
// Punycode. RFC 5321 allows servers to tell "Ann" from "ann", and none does: who unsubscribes
// as one has unsubscribed as the other. It is for comparing, not for sending.
func (a Address) Key() string {
	email, _ := a.ASCII()
	return norm.NFC.String(strings.ToLower(email))
}

// String returns the address as a header has it (RFC 5322): the name encoded where it is not
// ASCII (RFC 2047), the domain as Punycode. A local part that is not ASCII stays as it is
// (RFC 6532). A name that ParseAddress would not have returned is left out.
func (a Address) String() string {
	email, _ := a.ASCII()
	switch {
	case a.Name == "" || lineProblem(a.Name) != "":
		return email
	case isASCII(a.Name) && !strings.Contains(a.Name, "=?"):
		return quoteName(a.Name) + " <" + email + ">"
	}
	return encodePhrase(a.Name) + " <" + email + ">"
}

// readable returns the address as people read it: in Unicode.
func (a Address) readable() string {
	if a.Name == "" {
		return a.Email
	}
	return quoteName(a.Name) + " <" + a.Email + ">"
}

// quoteName returns a name as it stands in a phrase, in quotes where it needs them.
func quoteName(name string) string {
	plain := true
	for _, r := range name {
		plain = plain && (r == ' ' || isAtext(r))
	}
	if plain && !strings.Contains(name, "  ") && !strings.Contains(name, "=?") && strings.TrimSpace(name) == name {
		return name
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
}

// encodePhrase encodes a name for a phrase, where fewer characters may stand than in a subject
// (RFC 2047, section 5): base64 has none of them.
func encodePhrase(name string) string {
	if strings.ContainsAny(name, "\"#$%&'(),.:;<>@[]^`{|}~=?_\\") {
		return encodeBase64Words(name)
	}
	return encodeWords(name)
}
