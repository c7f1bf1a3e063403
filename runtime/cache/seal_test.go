package cache

import (
	"bytes"
	"errors"
	"testing"
)

func testSealer(t *testing.T) sealer {
	t.Helper()
	s, err := newSealers([]Key{{ID: "k", Secret: []byte("0123456789abcdef0123456789abcdef")}})
	if err != nil {
		t.Fatal(err)
	}
	return s[0]
}

// No nonce is used twice, and none is what a variable holds at first.
func TestSealNonces(t *testing.T) {
	s := testSealer(t)
	at := place{"table", "key", "json"}
	seen := map[string]bool{string(make([]byte, 12)): true}
	for range 2000 {
		sealed := s.seal([]byte("value"), at, 7)
		nonce := string(sealed[sealHead : sealHead+12])
		if seen[nonce] {
			t.Fatalf("the nonce %x is used again, or is zero", nonce)
		}
		seen[nonce] = true
		if bytes.Contains(sealed, []byte("value")) {
			t.Fatalf("the value stands in %q", sealed)
		}
		if data, until, err := s.open(sealed, at); err != nil || string(data) != "value" || until != 7 {
			t.Fatalf("opened %q, %d, %v", data, until, err)
		}
	}
}

// A sealed value opens where it was sealed for, and nowhere else.
func TestSealIsBound(t *testing.T) {
	s := testSealer(t)
	at := place{"table", "key", "json"}
	sealed := s.seal([]byte("value"), at, 7)
	for _, other := range []place{
		{"other", "key", "json"},
		{"table", "other", "json"},
		{"table", "key", "gob"},
		{"tablek", "ey", "json"},
		{"table", "keyj", "son"},
		{"", "", ""},
	} {
		if _, _, err := s.open(sealed, other); !errors.Is(err, errSeal) {
			t.Errorf("at %+v it opens: %v", other, err)
		}
	}
	for i := range sealed { // the moment, the nonce, the value, the tag
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, _, err := s.open(changed, at); !errors.Is(err, errSeal) {
			t.Errorf("with byte %d changed it opens: %v", i, err)
		}
	}
	for n := range sealed {
		if _, _, err := s.open(sealed[:n], at); !errors.Is(err, errSeal) {
			t.Errorf("the first %d bytes open: %v", n, err)
		}
	}
}
