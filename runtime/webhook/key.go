package webhook

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// ErrInvalidKey says that a secret or a key cannot be used: its text is malformed, its
// length is wrong, it is the zero value, or there are no keys or too many. The error
// says what to write, and repeats nothing of a secret.
var ErrInvalidKey = errors.New("webhook: invalid key")

// A Signer signs messages: a [Secret] or a [SigningKey].
type Signer interface {
	keyChecker
	// sign returns a signature as it stands in the header: "v1,K5oZfzN95Z9...".
	sign(content []byte) string
}

// A Verifier verifies messages: a [Secret] or a [PublicKey]. A key verifies signatures
// of its own version alone, so that a public key is never taken for a secret.
type Verifier interface {
	keyChecker
	version() string
	// verify reports whether one of the signatures, which are base64, is of the content.
	verify(content []byte, signatures []string) bool
}

type keyChecker interface{ check() error }

// maxKeys bounds the keys that sign or verify one message: signatures made by Sign are
// never more than Verify reads.
const maxKeys = maxSignatures

func checkKeys[K keyChecker](keys []K) error {
	switch {
	case len(keys) == 0:
		return invalidKeyf("there are no keys; pass one at least")
	case len(keys) > maxKeys:
		return invalidKeyf("there are %d keys; pass %d at most", len(keys), maxKeys)
	}
	for i, key := range keys {
		if keyChecker(key) == nil {
			return invalidKeyf("key %d of %d is nil", i+1, len(keys))
		}
		if err := key.check(); err != nil {
			return fmt.Errorf("key %d of %d: %w", i+1, len(keys), err)
		}
	}
	return nil
}

func invalidKeyf(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrInvalidKey, fmt.Errorf(format, args...))
}

const (
	secretPrefix     = "whsec_"
	signingKeyPrefix = "whsk_"
	publicKeyPrefix  = "whpk_"
)

// parsers says how a text with another prefix is read.
var parsers = map[string]string{
	secretPrefix:     "a secret; read it with ParseSecret",
	signingKeyPrefix: "a signing key; read it with ParseSigningKey",
	publicKeyPrefix:  "a public key; read it with ParsePublicKey",
}

// decodeKey decodes the base64 behind a prefix. Its errors hold nothing of the text.
func decodeKey(what, prefix, text string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(text, prefix)
	if !ok {
		for other, parser := range parsers {
			if strings.HasPrefix(text, other) {
				return nil, invalidKeyf("a %s begins with %s; this is %s", what, prefix, parser)
			}
		}
		return nil, invalidKeyf("a %s begins with %s; write %s in front of its base64", what, prefix, prefix)
	}
	key, ok := decodeBase64(encoded)
	if !ok {
		return nil, invalidKeyf("what follows %s is not base64; copy all of it, with the = at its end, and no spaces or line breaks", prefix)
	}
	return key, nil
}

// decodeBase64 decodes standard base64 that has one form alone: its padding is there, the bits
// that it does not use are zero, and no line break, which encoding/base64 skips, is in it.
func decodeBase64(text string) ([]byte, bool) {
	data, err := base64.StdEncoding.DecodeString(text)
	return data, err == nil && encodeBase64(data) == text
}

func encodeBase64(data []byte) string { return base64.StdEncoding.EncodeToString(data) }
