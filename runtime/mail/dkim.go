package mail

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/emersion/go-msgauth/dkim"
	"golang.org/x/net/idna"
)

// DKIM is a key that signs messages (RFC 6376) whose From is in a domain or below it. The domain
// publishes the public key under Selector._domainkey.Domain. Printed, logged and encoded, it is
// without the key.
type DKIM struct {
	Domain, Selector string
	Key              []byte // PEM of an RSA (PKCS #1 or #8) or ed25519 (PKCS #8) private key
}

func (d DKIM) name() string { return fmt.Sprintf("DKIM key %s._domainkey.%s", d.Selector, d.Domain) }

// Format prints the names, whatever the verb.
func (d DKIM) Format(f fmt.State, _ rune) { io.WriteString(f, d.name()) }

// LogValue returns the names, for log/slog.
func (d DKIM) LogValue() slog.Value { return slog.StringValue(d.name()) }

// MarshalText returns the names, for encoding/json and other encodings.
func (d DKIM) MarshalText() ([]byte, error) { return []byte(d.name()), nil }

// Bounds of an RSA key in bits: RFC 8301 allows nothing less, and verifiers read nothing more.
const (
	minRSA = 1024
	maxRSA = 4096
)

// Signer signs messages. It is safe for concurrent use.
type Signer struct{ keys []signingKey }

type signingKey struct {
	domain, selector string
	key              crypto.Signer
}

// NewSigner parses keys. The error says everything that is wrong with them.
func NewSigner(keys []DKIM) (*Signer, error) {
	s := &Signer{}
	var faults []error
	for _, d := range keys {
		key, err := d.parse()
		if err != nil {
			faults = append(faults, fmt.Errorf("mail: %s: %w", d.name(), err))
			continue
		}
		s.keys = append(s.keys, key)
	}
	return s, errors.Join(faults...)
}

func (d DKIM) parse() (signingKey, error) {
	domain, err := idna.Lookup.ToASCII(d.Domain)
	if err != nil || !strings.Contains(domain, ".") {
		return signingKey{}, fmt.Errorf("the field Domain is %q, it is a name such as example.com", d.Domain)
	}
	if d.Selector == "" || strings.Trim(d.Selector, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") != "" || len(d.Selector) > 63 {
		return signingKey{}, fmt.Errorf("the field Selector is %q, it is letters, digits and hyphens", d.Selector)
	}
	key, err := parseKey(d.Key)
	return signingKey{domain: domain, selector: d.Selector, key: key}, err
}

// parseKey reads a private key. Its errors have nothing of the key.
func parseKey(text []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("the field Key is no PEM; it begins with -----BEGIN PRIVATE KEY-----")
	}
	var parsed any
	var err error
	switch block.Type {
	case "RSA PRIVATE KEY":
		parsed, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "PRIVATE KEY":
		parsed, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	default:
		return nil, fmt.Errorf("the field Key is PEM of type %q; it is PRIVATE KEY or RSA PRIVATE KEY", block.Type)
	}
	if err != nil {
		return nil, errors.New("the field Key cannot be parsed; make one with openssl genpkey -algorithm ed25519, or rsa with 2048 bits")
	}
	switch key := parsed.(type) {
	case ed25519.PrivateKey:
		return key, nil
	case *rsa.PrivateKey:
		if bits := key.N.BitLen(); bits < minRSA || bits > maxRSA {
			return nil, fmt.Errorf("the RSA key has %d bits; DKIM takes %d to %d, use 2048", bits, minRSA, maxRSA)
		}
		return key, nil
	}
	return nil, errors.New("the field Key is neither RSA nor ed25519")
}

// Sign returns a message with a signature of each key of the domain of from, which is the
// address in its From header; of the nearest domain above it, if that has none. Without a key,
// the message is returned as it is.
func (s *Signer) Sign(from string, message []byte) ([]byte, error) {
	keys := s.keysOf(from)
	if len(keys) == 0 {
		return message, nil
	}
	fields := signedFields(message)
	var signatures bytes.Buffer
	for _, k := range keys {
		signer, err := dkim.NewSigner(&dkim.SignOptions{
			Domain: k.domain, Selector: k.selector, Signer: k.key, Hash: crypto.SHA256, HeaderKeys: fields,
			HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
		})
		if err != nil {
			return nil, fmt.Errorf("mail: DKIM for %s: %w", k.domain, err)
		}
		_, err = signer.Write(message)
		if err := errors.Join(err, signer.Close()); err != nil {
			return nil, fmt.Errorf("mail: DKIM for %s: %w", k.domain, err)
		}
		signatures.WriteString(signer.Signature())
	}
	return append(signatures.Bytes(), message...), nil
}

// keysOf returns the keys of the nearest domain.
func (s *Signer) keysOf(from string) []signingKey {
	_, domain, found := cutLast(from, "@")
	domain, err := idna.Lookup.ToASCII(domain)
	if err != nil {
		return nil
	}
	for found {
		keys := slices.DeleteFunc(slices.Clone(s.keys), func(k signingKey) bool { return k.domain != domain })
		if len(keys) > 0 {
			return keys
		}
		_, domain, found = strings.Cut(domain, ".")
	}
	return nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// sealed fields are signed once more than they are there, so that nobody can add one.
// RFC 8058 asks for the two of unsubscription, which mailing lists add: they are signed if there.
var (
	sealed = []string{
		"From", "To", "Cc", "Subject", "Date", "Message-ID", "Reply-To",
		"MIME-Version", "Content-Type", "Content-Transfer-Encoding",
	}
	signedIfThere = []string{"List-Unsubscribe", "List-Unsubscribe-Post"}
)

// signedFields returns the header fields that a signature covers, each as often as it is covered.
func signedFields(message []byte) []string {
	header, _, _ := bytes.Cut(message, []byte("\r\n\r\n"))
	count := map[string]int{}
	for line := range strings.SplitSeq(string(header), "\r\n") {
		name, _, _ := strings.Cut(line, ":")
		count[strings.ToLower(strings.TrimRight(name, " \t"))]++ // a continuation begins with a space
	}
	var fields []string
	for _, name := range sealed {
		fields = append(fields, slices.Repeat([]string{name}, count[strings.ToLower(name)]+1)...)
	}
	for _, name := range signedIfThere {
		fields = append(fields, slices.Repeat([]string{name}, count[strings.ToLower(name)])...)
	}
	return fields
}
