package mail

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Bounds of links that unsubscribe.
const (
	minUnsubscribeKey = 32 // bytes of text
	maxUnsubscribeKey = 10 // keys
	maxUnsubscribeURL = 256
	maxToken          = 1024
	tokenVersion      = 1
)

// tokenPurpose keeps a key that a program uses elsewhere too from opening what is not a link.
const tokenPurpose = "modulagen mail: links that unsubscribe, version 1"

// Unsubscribe makes links by which recipients unsubscribe with one click (RFC 8058), and the
// handler that takes them. A link says whom it unsubscribes and from what, encrypted and
// authenticated (AES-256-GCM): one that is found in a log or a forwarded
// message does not show the address, and none can be made for another address. It does not expire.
type Unsubscribe struct {
	url   *url.URL
	seals []cipher.AEAD // not the keys: a printed Unsubscribe has none
}

// NewUnsubscribe returns one for an https URL, at which Handler is served, and keys of at least 32
// random characters. Links are made with the first key and accepted with each of them: a key is
// replaced by putting its successor before it, and removed when its last messages are old. At
// most ten keys are accepted.
func NewUnsubscribe(address string, keys ...Secret) (*Unsubscribe, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil || urlProblem(address) != "" || !strings.EqualFold(u.Scheme, "https") || u.Host == "" || u.User != nil || u.Fragment != "":
		return nil, fmt.Errorf("mail: unsubscribe: %.300q is not an https URL without user and fragment", address)
	case len(address) > maxUnsubscribeURL:
		return nil, fmt.Errorf("mail: unsubscribe: a URL of %d bytes; at most %d are permitted", len(address), maxUnsubscribeURL)
	case len(keys) == 0 || len(keys) > maxUnsubscribeKey:
		return nil, fmt.Errorf("mail: unsubscribe: %d keys; 1 to %d are permitted", len(keys), maxUnsubscribeKey)
	}
	made := &Unsubscribe{url: u}
	for i, key := range keys {
		text := key.Reveal()
		if len(text) < minUnsubscribeKey {
			return nil, fmt.Errorf("mail: unsubscribe: key %d has %d characters; at least %d are needed (openssl rand -base64 32)", i+1, len(text), minUnsubscribeKey)
		}
		seal, err := newSeal(text)
		if err != nil {
			return nil, fmt.Errorf("mail: unsubscribe: key %d: %w", i+1, err)
		}
		made.seals = append(made.seals, seal)
	}
	return made, nil
}

func newSeal(key string) (cipher.AEAD, error) {
	derived, err := hkdf.Key(sha256.New, []byte(key), nil, tokenPurpose, 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// Link returns the link that unsubscribes an address from a stream: what Message.ListUnsubscribe
// holds, and a link in the text. The stream "" is all mail. A message with several recipients
// cannot have one: each would unsubscribe the others.
func (u *Unsubscribe) Link(address, stream string) (string, error) {
	a, err := ParseAddress(address)
	if err != nil {
		return "", err
	}
	var p problems
	checkLabel(&p, "Stream", stream, maxLabel)
	if err := p.err(); err != nil {
		return "", err
	}
	plain := []byte(a.Key() + "\x00" + stream)
	token := u.seals[0].Seal([]byte{tokenVersion}, nil, plain, nil)
	link := *u.url
	query := link.Query()
	query.Set("t", base64.RawURLEncoding.EncodeToString(token))
	link.RawQuery = query.Encode()
	return link.String(), nil
}

var errToken = errors.New("mail: unsubscribe: the link is not valid")

// open returns what a token says.
func (u *Unsubscribe) open(token string) (address, stream string, err error) {
	if len(token) > maxToken {
		return "", "", errToken
	}
	data, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(data) == 0 || data[0] != tokenVersion {
		return "", "", errToken
	}
	for _, seal := range u.seals {
		plain, err := seal.Open(nil, nil, data[1:], nil)
		if err != nil {
			continue
		}
		address, stream, _ := strings.Cut(string(plain), "\x00")
		return address, stream, nil
	}
	return "", "", errToken
}
