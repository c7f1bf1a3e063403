package webhook

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
)

// Lengths of a secret's key in bytes. The specification asks for 192 to 512 bits.
const (
	minSecret = 24
	maxSecret = 64
	newSecret = 32
)

// A Secret is a key that sender and receiver share. Whoever can verify with it can sign
// with it. Its signatures are HMAC-SHA256, version v1.
//
// Printed, logged and encoded, a Secret is "***". The zero value neither signs nor
// verifies: it is ErrInvalidKey.
type Secret struct {
	// key is a function so that a printer which goes by reflection, as fmt does for
	// unexported fields, finds an address and not the key. It also keeps == from
	// compiling, which would not take constant time.
	key func() []byte
}

// GenerateSecret returns a new random secret of 32 bytes.
func GenerateSecret() Secret {
	key := make([]byte, newSecret)
	rand.Read(key) // never fails
	return secretOf(key)
}

// ParseSecret reads "whsec_" and the base64 of 24 to 64 bytes, which is what
// [Secret.Reveal] returns. Anything else is ErrInvalidKey.
func ParseSecret(text string) (Secret, error) {
	key, err := decodeKey("secret", secretPrefix, text)
	if err != nil {
		return Secret{}, err
	}
	if len(key) < minSecret || len(key) > maxSecret {
		return Secret{}, invalidKeyf("the secret has %d bytes; write %s and the base64 of %d to %d random bytes (openssl rand -base64 %d)",
			len(key), secretPrefix, minSecret, maxSecret, newSecret)
	}
	return secretOf(key), nil
}

func secretOf(key []byte) Secret { return Secret{key: func() []byte { return key }} }

// Reveal returns the secret as text, "whsec_" and base64: to store it, and to show it to
// whoever runs the other end. It returns "" for the zero value.
func (s Secret) Reveal() string {
	if s.key == nil {
		return ""
	}
	return secretPrefix + encodeBase64(s.key())
}

func (s Secret) check() error {
	if s.key == nil {
		return invalidKeyf("the secret is the zero value; make it with ParseSecret or GenerateSecret")
	}
	return nil
}

func (s Secret) mac(content []byte) string {
	h := hmac.New(sha256.New, s.key())
	h.Write(content)
	return encodeBase64(h.Sum(nil))
}

func (s Secret) sign(content []byte) string { return versionSecret + "," + s.mac(content) }

func (Secret) version() string { return versionSecret }

func (s Secret) verify(content []byte, signatures []string) bool {
	// Texts are compared, so that a signature has one form alone.
	want := []byte(s.mac(content))
	for _, signature := range signatures {
		if hmac.Equal([]byte(signature), want) {
			return true
		}
	}
	return false
}
