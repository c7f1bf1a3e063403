package webhook

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
)

// A SigningKey is the private half of an ed25519 key pair, which the sender keeps. Its
// signatures are version v1a, and its [PublicKey] verifies them.
//
// Printed, logged and encoded, a SigningKey is "***". The zero value does not sign: it is
// ErrInvalidKey.
type SigningKey struct {
	key func() ed25519.PrivateKey // a function, as in Secret
}

// GenerateSigningKey returns a new random key.
func GenerateSigningKey() SigningKey {
	seed := make([]byte, ed25519.SeedSize)
	rand.Read(seed) // never fails
	return signingKeyOf(ed25519.NewKeyFromSeed(seed))
}

// ParseSigningKey reads "whsk_" and the base64 of a key, which is what
// [SigningKey.Reveal] returns. The key is a seed of 32 bytes (RFC 8032), or the 64 bytes
// of seed and public key that libsodium writes. Anything else is ErrInvalidKey.
func ParseSigningKey(text string) (SigningKey, error) {
	data, err := decodeKey("signing key", signingKeyPrefix, text)
	if err != nil {
		return SigningKey{}, err
	}
	if len(data) != ed25519.SeedSize && len(data) != ed25519.PrivateKeySize {
		return SigningKey{}, invalidKeyf("the signing key has %d bytes; write %s and the base64 of the %d bytes of an ed25519 seed",
			len(data), signingKeyPrefix, ed25519.SeedSize)
	}
	key := ed25519.NewKeyFromSeed(data[:ed25519.SeedSize])
	if len(data) == ed25519.PrivateKeySize && !bytes.Equal(data, key) {
		// The text was altered, and nothing says which half is right.
		return SigningKey{}, invalidKeyf("the two halves of the signing key are not of one pair; write %s and the base64 of the %d bytes of its seed",
			signingKeyPrefix, ed25519.SeedSize)
	}
	return signingKeyOf(key), nil
}

func signingKeyOf(key ed25519.PrivateKey) SigningKey {
	return SigningKey{key: func() ed25519.PrivateKey { return key }}
}

// Reveal returns the key as text, "whsk_" and the base64 of its seed: to store it. It
// returns "" for the zero value.
func (k SigningKey) Reveal() string {
	if k.key == nil {
		return ""
	}
	return signingKeyPrefix + encodeBase64(k.key().Seed())
}

// Public returns the key that verifies what k signs. It returns the zero PublicKey for
// the zero value.
func (k SigningKey) Public() PublicKey {
	if k.key == nil {
		return PublicKey{}
	}
	return PublicKey{[ed25519.PublicKeySize]byte(k.key()[ed25519.SeedSize:])}
}

func (k SigningKey) check() error {
	if k.key == nil {
		return invalidKeyf("the signing key is the zero value; make it with ParseSigningKey or GenerateSigningKey")
	}
	return nil
}

func (k SigningKey) sign(content []byte) string {
	return versionPublic + "," + encodeBase64(ed25519.Sign(k.key(), content))
}

// A PublicKey is the half of an ed25519 key pair that the receiver has. It can verify
// and not sign. It is no secret, and is printed in full. The zero value verifies nothing:
// it is ErrInvalidKey.
type PublicKey struct {
	key [ed25519.PublicKeySize]byte
}

// ParsePublicKey reads "whpk_" and the base64 of 32 bytes, which is what
// [PublicKey.String] returns. Anything else is ErrInvalidKey, and so is a key of small
// order, for which anyone can make signatures.
func ParsePublicKey(text string) (PublicKey, error) {
	data, err := decodeKey("public key", publicKeyPrefix, text)
	if err != nil {
		return PublicKey{}, err
	}
	if len(data) != ed25519.PublicKeySize {
		return PublicKey{}, invalidKeyf("the public key has %d bytes; write %s and the base64 of the %d bytes of an ed25519 public key",
			len(data), publicKeyPrefix, ed25519.PublicKeySize)
	}
	key := PublicKey{[ed25519.PublicKeySize]byte(data)}
	if err := key.check(); err != nil {
		return PublicKey{}, err
	}
	return key, nil
}

// String returns the key as text, "whpk_" and base64.
func (k PublicKey) String() string { return publicKeyPrefix + encodeBase64(k.key[:]) }

// MarshalText returns what String does.
func (k PublicKey) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads what ParsePublicKey does.
func (k *PublicKey) UnmarshalText(text []byte) error {
	key, err := ParsePublicKey(string(text))
	if err == nil {
		*k = key
	}
	return err
}

func (k PublicKey) check() error {
	if smallOrder(k.key) {
		return invalidKeyf("the public key is zero, or another that anyone can sign for; use that of a generated pair")
	}
	return nil
}

func (PublicKey) version() string { return versionPublic }

func (k PublicKey) verify(content []byte, signatures []string) bool {
	for _, text := range signatures {
		signature, ok := decodeBase64(text)
		if ok && len(signature) == ed25519.SignatureSize && ed25519.Verify(k.key[:], content, signature) {
			return true
		}
	}
	return false
}

// smallOrders are the encodings of the points of order 1, 2, 4 and 8, without the sign
// in the last bit, and of two that decode to the first and third (libsodium's blocklist).
// A signature by such a key can be made without a private one. The zero PublicKey is the
// first.
var smallOrders = []string{
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}

func smallOrder(key [ed25519.PublicKeySize]byte) bool {
	key[len(key)-1] &^= 0x80
	text := hex.EncodeToString(key[:])
	for _, small := range smallOrders {
		if text == small {
			return true
		}
	}
	return false
}
