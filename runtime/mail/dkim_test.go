package mail_test

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/hegner123/modulagen/runtime/mail"
)

func pemOf(t *testing.T, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

const newsletter = "From: Shop <news@mail.example.com>\r\nTo: ann@example.com\r\nSubject: A  long\r\n subject =?utf-8?q?=C3=BC?=\r\n" +
	"Date: Thu, 26 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n" +
	"List-Unsubscribe: <https://example.com/u?x>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\r\nHello \t you \r\n..\r\n\r\n\r\n"

func TestDKIM(t *testing.T) {
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	pkcs1 := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(rsaKey)})
	signer, err := mail.NewSigner([]mail.DKIM{
		{Domain: "Example.com", Selector: "ed", Key: pemOf(t, ed)},
		{Domain: "example.com", Selector: "rsa", Key: pkcs1},
		{Domain: "bücher.example", Selector: "b", Key: pemOf(t, rsaKey)},
	})
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]crypto.PublicKey{
		"ed._domainkey.example.com": ed.Public(), "rsa._domainkey.example.com": rsaKey.Public(),
		"b._domainkey.xn--bcher-kva.example": rsaKey.Public(),
	}
	for from, want := range map[string]int{
		"news@mail.example.com": 2, "a@EXAMPLE.com": 2, "a@bücher.example": 1, "a@xn--bcher-kva.example": 1,
		"a@notexample.com": 0, "a@com": 0, "nobody": 0, `"a@example.com"@other.org`: 0,
	} {
		signed, err := signer.Sign(from, []byte(newsletter))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasSuffix(signed, []byte(newsletter)) {
			t.Fatalf("%s: the message was changed", from)
		}
		if got := verified(t, signed, keys); got != want {
			t.Errorf("%s: %d signatures hold, want %d", from, got, want)
		}
		if want == 0 {
			continue
		}
		for _, change := range []func([]byte) []byte{
			func(m []byte) []byte { return append([]byte("Subject: another\r\n"), m...) },
			func(m []byte) []byte { return append([]byte("Reply-To: eve@example.org\r\n"), m...) },
			func(m []byte) []byte { return bytes.Replace(m, []byte("com/u?x"), []byte("org/u?x"), 1) },
			func(m []byte) []byte { return bytes.Replace(m, []byte("One-Click"), []byte("Two-Click"), 1) },
			func(m []byte) []byte { return bytes.Replace(m, []byte("Hello"), []byte("Hullo"), 1) },
		} {
			if got := verified(t, change(slices.Clone(signed)), keys); got != 0 {
				t.Errorf("%s: a changed message has %d signatures that hold", from, got)
			}
		}
	}
}

// verified counts the signatures of a message that hold, as go-msgauth and the verifier below
// say, which must agree.
func verified(t *testing.T, message []byte, keys map[string]crypto.PublicKey) int {
	t.Helper()
	lookup := func(name string) ([]string, error) {
		switch key := keys[name].(type) {
		case ed25519.PublicKey:
			return []string{"v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(key)}, nil
		case *rsa.PublicKey:
			der, err := x509.MarshalPKIXPublicKey(key)
			return []string{"v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der)}, err
		}
		return nil, fmt.Errorf("no key %s", name)
	}
	results, err := dkim.VerifyWithOptions(bytes.NewReader(message), &dkim.VerifyOptions{LookupTXT: lookup})
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, r := range results {
		if r.Err == nil {
			count++
		}
	}
	if own := verifiedBySpecification(message, keys); own != count {
		t.Errorf("go-msgauth accepts %d signatures, the specification %d", count, own)
	}
	return count
}

var (
	spaces    = regexp.MustCompile(`[ \t]+`)
	tag       = regexp.MustCompile(`(?s)([a-z]+)=(.*)`)
	signature = regexp.MustCompile(`b=[^;]*$|b=[^;]*;`)
)

// verifiedBySpecification is RFC 6376 with relaxed/relaxed, written from its text alone.
func verifiedBySpecification(message []byte, keys map[string]crypto.PublicKey) (count int) {
	head, body, _ := strings.Cut(string(message), "\r\n\r\n")
	fields := strings.Split(regexp.MustCompile(`\r\n([ \t])`).ReplaceAllString(head, "$1"), "\r\n")
	relaxed := func(field string) string {
		name, value, _ := strings.Cut(field, ":")
		return strings.ToLower(strings.TrimSpace(name)) + ":" + strings.TrimSpace(spaces.ReplaceAllString(value, " "))
	}
	lines := strings.Split(body, "\r\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(spaces.ReplaceAllString(line, " "), " ")
	}
	body = strings.TrimRight(strings.Join(lines, "\r\n"), "\r\n") + "\r\n"
	bodyHash := sha256.Sum256([]byte(body))
	for _, field := range fields {
		if !strings.HasPrefix(field, "DKIM-Signature:") {
			continue
		}
		tags := map[string]string{}
		for part := range strings.SplitSeq(strings.TrimPrefix(field, "DKIM-Signature:"), ";") {
			if m := tag.FindStringSubmatch(strings.TrimSpace(part)); m != nil {
				tags[m[1]] = strings.Join(strings.Fields(m[2]), "")
			}
		}
		var hashed strings.Builder
		left := slices.Clone(fields)
		for name := range strings.SplitSeq(tags["h"], ":") {
			for i, f := range slices.Backward(left) {
				if n, _, _ := strings.Cut(f, ":"); strings.EqualFold(n, name) {
					hashed.WriteString(relaxed(f) + "\r\n")
					left = slices.Delete(left, i, i+1)
					break
				}
			}
		}
		at := strings.LastIndex(field, " b=")
		hashed.WriteString(relaxed(field[:at+1] + signature.ReplaceAllString(field[at+1:], "b=")))
		digest := sha256.Sum256([]byte(hashed.String()))
		sig, err := base64.StdEncoding.DecodeString(tags["b"])
		holds := err == nil && tags["bh"] == base64.StdEncoding.EncodeToString(bodyHash[:])
		switch key := keys[tags["s"]+"._domainkey."+tags["d"]].(type) {
		case ed25519.PublicKey:
			holds = holds && ed25519.Verify(key, digest[:], sig)
		case *rsa.PublicKey:
			holds = holds && rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], sig) == nil
		default:
			holds = false
		}
		if holds {
			count++
		}
	}
	return count
}

func TestDKIMMistakes(t *testing.T) {
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := pemOf(t, ed)
	for want, d := range map[string]mail.DKIM{
		"Domain is \"\"":       {Selector: "a", Key: good},
		"Domain is \"com\"":    {Domain: "com", Selector: "a", Key: good},
		"Selector is \"\"":     {Domain: "example.com", Key: good},
		"Selector is \"a;b\"":  {Domain: "example.com", Selector: "a;b", Key: good},
		"Key is no PEM":        {Domain: "example.com", Selector: "a", Key: []byte("secret")},
		"Key cannot be parsed": {Domain: "example.com", Selector: "a", Key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("secret")})},
		"of type \"PUBLIC":     {Domain: "example.com", Selector: "a", Key: pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY"})},
	} {
		_, err := mail.NewSigner([]mail.DKIM{d})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v, want %q", err, want)
		}
	}
	d := mail.DKIM{Domain: "example.com", Selector: "a", Key: good}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		if got := fmt.Sprintf(verb, mail.Options{DKIM: []mail.DKIM{d}}); strings.Contains(got, "45") && strings.Contains(got, "45 45 45") ||
			strings.Contains(got, "BEGIN") || strings.Contains(got, fmt.Sprintf("%x", good[:8])) {
			t.Errorf("%s shows the key: %s", verb, got)
		}
	}
}
