package webhook_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/runtime/webhook"
)

func b64(data []byte) string { return base64.StdEncoding.EncodeToString(data) }

func TestParseSecret(t *testing.T) {
	for _, n := range []int{24, 25, 26, 32, 63, 64} {
		text := "whsec_" + b64(bytes.Repeat([]byte{0xfb}, n))
		secret, err := webhook.ParseSecret(text)
		if err != nil || secret.Reveal() != text {
			t.Errorf("%d bytes: %q, %v", n, secret.Reveal(), err)
		}
	}
	const marker = "SECRETSECRETSECRETSECRETSECRETSE" // base64 of 24 bytes
	for text, want := range map[string]string{
		"":                       "write whsec_ in front of its base64",
		marker:                   "write whsec_ in front of its base64",
		"WHSEC_" + marker:        "write whsec_ in front of its base64",
		" whsec_" + marker:       "write whsec_ in front of its base64",
		"whsk_" + marker:         "this is a signing key; read it with ParseSigningKey",
		"whpk_" + marker:         "this is a public key; read it with ParsePublicKey",
		"whsec_":                 "the secret has 0 bytes; write whsec_ and the base64 of 24 to 64 random bytes (openssl rand -base64 32)",
		"whsec_" + marker[:28]:   "the secret has 21 bytes",
		"whsec_" + marker[:31]:   "is not base64",
		"whsec_" + marker + "\n": "is not base64; copy all of it, with the = at its end, and no spaces or line breaks",
		"whsec_" + marker[:8] + "\r\n" + marker[8:]: "is not base64",
		"whsec_" + marker + "AA":                    "is not base64",
		"whsec_" + marker + "AB==":                  "is not base64", // bits behind the end
		"whsec_" + marker + "==":                    "is not base64",
		"whsec_" + marker + "_-__":                  "is not base64",
		"whsec_" + b64(make([]byte, 65)):            "the secret has 65 bytes",
	} {
		_, err := webhook.ParseSecret(text)
		if !errors.Is(err, webhook.ErrInvalidKey) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v\nwant %s", text, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "SECRETSE") {
			t.Errorf("%q: the error shows it: %v", text, err)
		}
	}
}

func TestParseSigningKey(t *testing.T) {
	seed := []byte("TESTSIGNINGKEYDONOTUSETHISFORANY")
	whole := ed25519.NewKeyFromSeed(seed)
	for _, data := range [][]byte{seed, whole} {
		key, err := webhook.ParseSigningKey("whsk_" + b64(data))
		if err != nil || key.Reveal() != "whsk_"+b64(seed) || key.Public().String() != "whpk_"+b64(whole[32:]) {
			t.Errorf("%d bytes: %v, %v", len(data), key.Public(), err)
		}
	}
	mixed := slices.Concat(whole[:32], ed25519.NewKeyFromSeed(make([]byte, 32))[32:])
	for text, want := range map[string]string{
		"whsk_" + b64(mixed):       "two halves of the signing key are not of one pair",
		"whsk_" + b64(seed[:31]):   "the signing key has 31 bytes",
		"whsk_" + b64(whole[:33]):  "the signing key has 33 bytes",
		"whpk_" + b64(seed):        "read it with ParsePublicKey",
		"whsec_" + b64(seed):       "read it with ParseSecret",
		"whsk_" + b64(seed)[:43]:   "is not base64",
		"whsk_" + b64(seed) + "\n": "is not base64",
	} {
		if _, err := webhook.ParseSigningKey(text); !errors.Is(err, webhook.ErrInvalidKey) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v\nwant %s", text, err, want)
		}
	}
}

func TestParsePublicKey(t *testing.T) {
	public := webhook.GenerateSigningKey().Public()
	again, err := webhook.ParsePublicKey(public.String())
	if err != nil || again != public {
		t.Errorf("%v, %v; want %v", again, err, public)
	}
	data, err := json.Marshal(map[string]webhook.PublicKey{"key": public})
	if err != nil || string(data) != `{"key":"`+public.String()+`"}` {
		t.Errorf("%s, %v", data, err)
	}
	var read struct{ Key webhook.PublicKey }
	if err := json.Unmarshal(data, &read); err != nil || read.Key != public {
		t.Errorf("%v, %v", read.Key, err)
	}
	if err := json.Unmarshal([]byte(`{"key":"whpk_AAAA"}`), &read); !errors.Is(err, webhook.ErrInvalidKey) || read.Key != public {
		t.Errorf("%v, %v", read.Key, err)
	}
	for text, want := range map[string]string{
		"":                              "write whpk_ in front of its base64",
		"whsk_" + public.String()[5:]:   "read it with ParseSigningKey",
		"whpk_" + b64(make([]byte, 31)): "the public key has 31 bytes",
		public.String()[:48]:            "is not base64",
	} {
		if _, err := webhook.ParsePublicKey(text); !errors.Is(err, webhook.ErrInvalidKey) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v\nwant %s", text, err, want)
		}
	}
}

// Anyone can sign for a public key of small order: the neutral element and S = 0 are a
// signature whenever the hash is a multiple of the order.
func TestPublicKeysOfSmallOrder(t *testing.T) {
	signature := make([]byte, ed25519.SignatureSize)
	signature[0] = 1
	for _, text := range webhook.SmallOrders {
		for _, sign := range []byte{0, 0x80} {
			key, err := hex.DecodeString(text)
			if err != nil || len(key) != ed25519.PublicKeySize {
				t.Fatalf("%s: %v", text, err)
			}
			key[31] |= sign
			forged := false
			for i := 0; i < 1000 && !forged; i++ {
				forged = ed25519.Verify(key, fmt.Appendf(nil, "message %d", i), signature)
			}
			// The two points with x = 0 have no second sign.
			if !forged && sign == 0 {
				t.Errorf("%s: is not of small order", text)
			}
			if _, err := webhook.ParsePublicKey("whpk_" + b64(key)); !errors.Is(err, webhook.ErrInvalidKey) {
				t.Errorf("%x: %v", key, err)
			}
		}
	}
}

func TestGeneratedKeysDiffer(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		secret, key := webhook.GenerateSecret(), webhook.GenerateSigningKey()
		if _, err := webhook.ParseSecret(secret.Reveal()); err != nil {
			t.Fatal(err)
		}
		if again, err := webhook.ParseSigningKey(key.Reveal()); err != nil || again.Public() != key.Public() {
			t.Fatal(err)
		}
		for _, text := range []string{secret.Reveal(), key.Reveal()} {
			if seen[text] {
				t.Fatal("a key was generated twice")
			}
			seen[text] = true
		}
	}
}

func TestZeroKeys(t *testing.T) {
	if text := (webhook.Secret{}).Reveal() + (webhook.SigningKey{}).Reveal(); text != "" {
		t.Errorf("%q", text)
	}
	if public := (webhook.SigningKey{}).Public(); public != (webhook.PublicKey{}) {
		t.Errorf("%v", public)
	}
	good := webhook.GenerateSecret()
	header := sign(t, "msg_1", body, good)
	for _, key := range []webhook.Verifier{webhook.Secret{}, webhook.PublicKey{}, nil} {
		_, err := webhook.Verify(header, body, at, good, key)
		if !errors.Is(err, webhook.ErrInvalidKey) || !strings.Contains(err.Error(), "key 2 of 2") {
			t.Errorf("%T: %v", key, err)
		}
	}
	for _, key := range []webhook.Signer{webhook.Secret{}, webhook.SigningKey{}, nil} {
		if _, err := webhook.Sign("msg_1", now, body, good, key); !errors.Is(err, webhook.ErrInvalidKey) {
			t.Errorf("%T: %v", key, err)
		}
	}
	if _, err := webhook.Sign("msg_1", now, body); !errors.Is(err, webhook.ErrInvalidKey) {
		t.Error(err)
	}
	if _, err := webhook.Verify(header, body, at); !errors.Is(err, webhook.ErrInvalidKey) {
		t.Error(err)
	}
	if _, err := webhook.Sign("msg_1", now, body, slices.Repeat([]webhook.Signer{good}, 17)...); !errors.Is(err, webhook.ErrInvalidKey) {
		t.Error(err)
	}
	if _, err := webhook.Verify(header, body, at, slices.Repeat([]webhook.Verifier{good}, 17)...); !errors.Is(err, webhook.ErrInvalidKey) {
		t.Error(err)
	}
}

// No printer and no encoder shows a secret, also of a struct that keeps it in an
// unexported field, where fmt calls no method.
func TestKeysAreNotPrinted(t *testing.T) {
	key := []byte("hunter2-hunter2-hunter2-hunter2-")
	secret, err := webhook.ParseSecret("whsec_" + b64(key))
	if err != nil {
		t.Fatal(err)
	}
	signing, err := webhook.ParseSigningKey("whsk_" + b64(key))
	if err != nil {
		t.Fatal(err)
	}
	receiver, err := webhook.NewReceiver(handler(nil), webhook.ReceiverOptions{Keys: []webhook.Verifier{secret}})
	if err != nil {
		t.Fatal(err)
	}
	type unexported struct {
		s webhook.Secret
		k *webhook.SigningKey
		v webhook.Verifier
	}
	hidden := unexported{secret, &signing, secret}
	values := []any{
		secret, &secret, signing, &signing,
		[]webhook.Secret{secret},
		map[string]webhook.Signer{"a": secret, "b": signing},
		struct {
			S webhook.Secret
			K *webhook.SigningKey
		}{secret, &signing},
		hidden, &hidden,
		[]any{hidden, &hidden},
		receiver, *receiver,
		webhook.ReceiverOptions{Keys: []webhook.Verifier{secret}},
	}
	var out bytes.Buffer
	for _, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p", "%c", "%!"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
			slog.New(h).Info("made", "value", v)
		}
		if data, err := json.Marshal(v); err == nil {
			out.Write(data)
		}
		if data, err := xml.Marshal(v); err == nil {
			out.Write(data)
		}
	}
	said := strings.ToLower(out.String())
	for name, form := range map[string]string{
		"text": "hunter2", "base64": b64(key)[:20], "hex": hex.EncodeToString(key[:7]),
		"numbers": strings.Trim(fmt.Sprint(key[:4]), "[]"), "Go": "0x68, 0x75",
	} {
		if i := strings.Index(said, strings.ToLower(form)); i >= 0 {
			t.Errorf("shows the secret as %s: %s", name, said[max(0, i-100):min(i+100, len(said))])
		}
	}
	for _, key := range []any{secret, &secret, signing, &signing} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			if text := fmt.Sprintf(verb, key); text != "***" {
				t.Errorf("%s of %T: %s", verb, key, text)
			}
		}
		if data, err := json.Marshal(map[string]any{"a": key}); err != nil || string(data) != `{"a":"***"}` {
			t.Errorf("%s, %v", data, err)
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("made", "key", key)
		if !strings.Contains(log.String(), "key=***") {
			t.Errorf("%s", log.String())
		}
	}
}
