package webhook_test

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/webhook"
)

// FuzzVerify holds that Verify never panics, and that what it verifies has a signature
// which the standard library makes, or finds right, by itself. The other way around, what
// such a signature is of is verified.
func FuzzVerify(f *testing.F) {
	key := []byte("fuzz-fuzz-fuzz-fuzz-fuzz")
	seed := []byte("fuzz-fuzz-fuzz-fuzz-fuzz-fuzz-32")
	secret, err := webhook.ParseSecret("whsec_" + b64(key))
	if err != nil {
		f.Fatal(err)
	}
	signing, err := webhook.ParseSigningKey("whsk_" + b64(seed))
	if err != nil {
		f.Fatal(err)
	}
	private := ed25519.NewKeyFromSeed(seed)
	mac := func(content string) string {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(content))
		return "v1," + b64(h.Sum(nil))
	}
	seconds := strconv.FormatInt(now.Unix(), 10)
	good := sign(f, "msg_1", body, secret, signing).Get(webhook.HeaderSignature)
	v1, v1a, _ := strings.Cut(good, " ")
	for _, signatures := range []string{good, v1, v1a, "v2,x " + v1a, "v1," + v1a[4:], "v1a," + v1[3:], v1 + "=", v1[:40], "", "v1,", " , ,"} {
		f.Add("msg_1", seconds, signatures, string(body), false)
	}
	f.Add("msg_1."+seconds, seconds, good, string(body), true)
	f.Add("msg_1", "+"+seconds, v1, "", true)
	f.Add("msg_1", "0"+seconds, v1, "x", true)
	f.Add("msg_1", seconds, "v1,x", seconds+".x", true)
	f.Fuzz(func(t *testing.T, id, timestamp, signatures, body string, resign bool) {
		content := id + "." + timestamp + "." + body
		if resign { // whatever the parts are, the signature is right
			signatures = mac(content) + " " + signatures
		}
		header := http.Header{}
		header.Set("webhook-id", id)
		header.Set("webhook-timestamp", timestamp)
		header.Set("webhook-signature", signatures)
		m, err := webhook.Verify(header, []byte(body), at, signing.Public(), secret)

		right := false
		for part := range strings.SplitSeq(signatures, " ") {
			text, public := strings.CutPrefix(part, "v1a,")
			signature, err := base64.StdEncoding.DecodeString(text)
			right = right || part == mac(content) || public && err == nil && len(signature) == 64 && b64(signature) == text &&
				ed25519.Verify(private.Public().(ed25519.PublicKey), []byte(content), signature)
		}
		n, nErr := strconv.ParseInt(timestamp, 10, 64)
		wellFormed := webhook.CheckID(id) == nil && nErr == nil && strconv.FormatInt(n, 10) == timestamp &&
			time.Unix(n, 0).Sub(now).Abs() <= 5*time.Minute && len(signatures) <= 16<<10 && strings.Count(signatures, " ") < 16
		switch {
		case (err == nil) != (right && wellFormed):
			t.Errorf("%q %q %q %q: %v; signed %v, well formed %v", id, timestamp, signatures, body, err, right, wellFormed)
		case err == nil && (m.ID != id || m.Time.Unix() != n || strings.Contains(id, ".")):
			t.Errorf("%q %q: %v", id, timestamp, m)
		case err != nil && m != (webhook.Message{}):
			t.Errorf("%v with %v", err, m)
		}
	})
}

// FuzzParseKeys holds that what is parsed is what Reveal returns, and that errors do not
// repeat it.
func FuzzParseKeys(f *testing.F) {
	secret, signing := webhook.GenerateSecret(), webhook.GenerateSigningKey()
	for _, text := range []string{"", "whsec_", "whsk_====", "whpk_AAAA\n", secret.Reveal(), signing.Reveal(), signing.Public().String()} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var errs []error
		if s, err := webhook.ParseSecret(text); err != nil {
			errs = append(errs, err)
		} else if s.Reveal() != text {
			t.Errorf("secret %q from %q", s.Reveal(), text)
		}
		if k, err := webhook.ParseSigningKey(text); err != nil {
			errs = append(errs, err)
		} else if again, err := webhook.ParseSigningKey(k.Reveal()); err != nil || again.Public() != k.Public() || !strings.HasPrefix(text, k.Reveal()[:40]) {
			t.Errorf("signing key %q from %q: %v", k.Reveal(), text, err)
		}
		if k, err := webhook.ParsePublicKey(text); err != nil {
			errs = append(errs, err)
		} else if k.String() != text {
			t.Errorf("public key %v from %q", k, text)
		}
		if _, after, _ := strings.Cut(text, "_"); len(after) > 20 {
			for _, err := range errs {
				if strings.Contains(err.Error(), after) {
					t.Errorf("%q: %v", text, err)
				}
			}
		}
	})
}
