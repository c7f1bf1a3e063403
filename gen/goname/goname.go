// Package goname turns the names of definitions into those that a Go
// programmer would have chosen: initialisms in capitals, rows in the singular.
//
//	body_html        BodyHTML
//	media_ids        MediaIDs
//	fetch_requests   FetchRequest (a row), FetchRequests (its accessor)
//
// It knows names only. Whether two of them collide is the loader's to say.
package goname

import (
	"fmt"
	"go/token"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Exported returns the exported Go name for a name in snake case. Other
// characters than letters and digits part words too.
func Exported(name string) string {
	var b strings.Builder
	for _, w := range words(name) {
		b.WriteString(word(w))
	}
	return b.String()
}

// Row names the row type of a datatype: its name in the singular.
func Row(datatype string) string { return Exported(Singular(datatype)) }

// Enum names the type of a select field.
func Enum(row, field string) string { return row + field }

// Option names one value of an enum. A value without a letter or digit is named
// by its characters' numbers.
func Option(enum, value string) string {
	if n := len(value); n > 1 && value[0] == '-' && value[1] >= '0' && value[1] <= '9' {
		return enum + "Minus" + Exported(value[1:])
	}
	name := Exported(value)
	if name == "" {
		for _, r := range value {
			name += fmt.Sprintf("U%04X", r)
		}
	}
	return enum + name
}

// Key names a unique key by the Go names of its fields: "TenantIDAndSlug", as
// in GetByTenantIDAndSlug.
func Key(fields []string) string { return strings.Join(fields, "And") }

// IsExported reports whether a name can be one that other packages see. It is
// stricter than Go: only ASCII, so that a file's name can follow from it.
func IsExported(name string) bool {
	if !token.IsIdentifier(name) || name[0] < 'A' || name[0] > 'Z' {
		return false
	}
	for i := range len(name) {
		if name[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// IsPackage reports whether a name can be that of a package that others import.
// Go refuses an import called main or init, ignores the files of a package
// called documentation, takes x_test for the tests of x, and a name such as
// string would hide what every Go file knows by it.
func IsPackage(name string) bool {
	switch name {
	case "_", "main", "init", "documentation":
		return false
	}
	return token.IsIdentifier(name) && name == strings.ToLower(name) &&
		!strings.HasSuffix(name, "_test") && !predeclared[name]
}

// IsFolder reports whether the go command builds, and imports, a package whose
// path has such an element.
func IsFolder(element string) bool {
	if element == "vendor" || element == "testdata" || strings.Trim(element, ".") == "" {
		return false
	}
	device, _, _ := strings.Cut(strings.ToLower(element), ".")
	return !strings.ContainsRune("._-", rune(element[0])) && !strings.HasSuffix(element, ".") && !devices[device]
}

// devices are names that Windows keeps for itself, and Go refuses everywhere.
var devices = func() map[string]bool {
	m := map[string]bool{"con": true, "prn": true, "aux": true, "nul": true}
	for _, port := range []string{"com", "lpt"} {
		for n := '1'; n <= '9'; n++ {
			m[port+string(n)] = true
		}
	}
	return m
}()

// words parts a name at everything that is neither a letter nor a digit, and
// where a capital follows a small letter.
func words(name string) []string {
	var out []string
	var cur []rune
	flush := func() {
		if len(cur) > 0 {
			out = append(out, string(cur))
		}
		cur = nil
	}
	var last rune
	for _, r := range name {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) || r == utf8.RuneError {
			flush()
			last = r
			continue
		}
		if unicode.IsUpper(r) && unicode.IsLower(last) {
			flush()
		}
		cur = append(cur, r)
		last = r
	}
	flush()
	return out
}

func word(w string) string {
	lower := strings.ToLower(w)
	if s, ok := initialisms[lower]; ok {
		return s
	}
	if one, plural := strings.CutSuffix(lower, "s"); plural {
		if s, ok := initialisms[one]; ok && one != "" {
			return s + "s"
		}
	}
	if w == strings.ToUpper(w) && len(w) > 1 { // SHOUTED, or another script
		w = lower
	}
	r, size := utf8.DecodeRuneInString(w)
	return string(unicode.ToUpper(r)) + w[size:]
}

// initialisms are those of Go's style guide and those that data models name
// their columns by.
var initialisms = func() map[string]string {
	m := map[string]string{"oauth": "OAuth", "ipv4": "IPv4", "ipv6": "IPv6", "graphql": "GraphQL"}
	for s := range strings.FieldsSeq(`
		ACL API ASCII AWS BIC BOM CDN CLI CMS CPU CRM CRUD CSP CSRF CSS CSV DB DKIM DMARC DNS DSN EAN EOF ETA EXIF
		FAQ FTP GCP GDPR GIF GMT GPG GPS GPU GUID HMAC HTML HTTP HTTPS IBAN ICAO ID IMAP IMEI IO IOS IP ISBN ISO ISSN
		JPEG JPG JS JSON JWT KPI LDAP LTV MAC MD5 MFA MIME MP3 MP4 MQTT NFC OCR OIDC OS OTP PDF PGP PHP PNG POP3 PR
		QA QPS QR RAM REST RFC RGB RPC RSS S3 SAML SDK SEO SFTP SHA SHA1 SHA256 SHA512 SKU SLA SLO SMS SMTP SPF SQL
		SSD SSH SSL SSO SVG TCP TLS TOML TOTP TSV TTL TTS TUI UDP UI UID ULID UPC URI URL URN USB UTC UTF8 UTM UUID UX
		VAT VIN VM VPN WAV WSDL XLSX XML XMPP XSRF XSS YAML`) {
		m[strings.ToLower(s)] = s
	}
	return m
}()

// Unexported returns an exported name as one that its package does not export:
// "ArticleSpec" becomes "articleSpec", "URLSpec" "urlSpec".
func Unexported(name string) string {
	n := 0
	for n < len(name) && name[n] >= 'A' && name[n] <= 'Z' {
		n++
	}
	if n > 1 && n < len(name) { // an initialism ends before its last capital
		n--
	}
	return strings.ToLower(name[:n]) + name[n:]
}

// predeclared are the identifiers that Go declares by itself; a test compares
// them with go/types, which takes seconds to compile and is not linked.
var predeclared = map[string]bool{
	"any": true, "append": true, "bool": true, "byte": true, "cap": true, "clear": true, "close": true,
	"comparable": true, "complex": true, "complex128": true, "complex64": true, "copy": true, "delete": true,
	"error": true, "false": true, "float32": true, "float64": true, "imag": true, "int": true, "int16": true,
	"int32": true, "int64": true, "int8": true, "iota": true, "len": true, "make": true, "max": true, "min": true,
	"new": true, "nil": true, "panic": true, "print": true, "println": true, "real": true, "recover": true,
	"rune": true, "string": true, "true": true, "uint": true, "uint16": true, "uint32": true, "uint64": true,
	"uint8": true, "uintptr": true,
}
