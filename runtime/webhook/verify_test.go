package webhook_test

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/webhook"
)

var (
	now  = time.Unix(1_700_000_000, 0)
	at   = webhook.VerifyOptions{Now: now}
	body = []byte(`{"order":7}`)
)

func sign(t testing.TB, id string, body []byte, keys ...webhook.Signer) http.Header {
	t.Helper()
	header, err := webhook.Sign(id, now, body, keys...)
	if err != nil {
		t.Fatal(err)
	}
	return header
}

// with returns a copy of a header with other values of one name.
func with(header http.Header, name string, values ...string) http.Header {
	header = maps.Clone(header)
	header[name] = values
	return header
}

// The vectors are those of the reference library in Go, libraries/go of
// standard-webhooks/standard-webhooks.
func TestVectors(t *testing.T) {
	secret, err := webhook.ParseSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	signing, err := webhook.ParseSigningKey("whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=")
	if err != nil {
		t.Fatal(err)
	}
	const (
		v1  = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
		v1a = "v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag=="
		id  = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	)
	sent, body := time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`)
	header, err := webhook.Sign(id, sent, body, secret, signing)
	want := http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {"1614265330"}, "Webhook-Signature": {v1 + " " + v1a}}
	if err != nil || !maps.EqualFunc(header, want, slices.Equal) {
		t.Errorf("%v, %v\nwant %v", header, err, want)
	}
	for _, signatures := range []string{v1, v1a, v1 + " " + v1a, v1a + " " + v1, "v2,zzzz " + v1 + " " + v1a, v1 + " " + v1a + "  v3"} {
		for _, keys := range [][]webhook.Verifier{{secret}, {signing.Public()}, {signing.Public(), secret}} {
			m, err := webhook.Verify(with(header, webhook.HeaderSignature, signatures), body, webhook.VerifyOptions{Now: sent.Add(time.Minute)}, keys...)
			var of bool
			for _, key := range keys {
				_, symmetric := key.(webhook.Secret)
				of = of || symmetric && strings.Contains(signatures, v1) || !symmetric && strings.Contains(signatures, v1a)
			}
			switch {
			case of && (err != nil || m != webhook.Message{ID: id, Time: sent}):
				t.Errorf("%s by %v: %v, %v", signatures, keys, m, err)
			case !of && (!errors.Is(err, webhook.ErrNoMatchingSignature) || m != webhook.Message{}):
				t.Errorf("%s by %v: %v, %v", signatures, keys, m, err)
			}
		}
	}
}

func TestSignRefuses(t *testing.T) {
	key := webhook.GenerateSecret()
	for _, id := range []string{"", ".", "a.b", "msg_1.", ".msg_1", "a b", " a", "a\n", "a\r\nX: y", "a\x00", "a\x7f", "é", "\xff", strings.Repeat("a", 256)} {
		_, err := webhook.Sign(id, now, body, key)
		if !errors.Is(err, webhook.ErrInvalidMessage) || !errors.Is(webhook.CheckID(id), webhook.ErrInvalidMessage) {
			t.Errorf("%q: %v", id, err)
		}
	}
	for _, id := range []string{"a", "!", "~", "0", "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W", "0190f0a4-a7d9-7b31-9d36-5b6c1f2a3e4d", "a,b", strings.Repeat("a", 255)} {
		if _, err := webhook.Verify(sign(t, id, body, key), body, at, key); err != nil {
			t.Errorf("%q: %v", id, err)
		}
	}
	for _, when := range []time.Time{{}, time.Unix(-1, 0), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), time.Unix(math.MaxInt64, 0)} {
		if _, err := webhook.Sign("msg_1", when, body, key); !errors.Is(err, webhook.ErrInvalidMessage) {
			t.Errorf("%v: %v", when, err)
		}
	}
	last := time.Unix(253402300799, 999)
	header, err := webhook.Sign("msg_1", last, nil, key)
	if err != nil {
		t.Fatal(err)
	}
	if m, err := webhook.Verify(header, nil, webhook.VerifyOptions{Now: last}, key); err != nil || m.Time.Unix() != last.Unix() {
		t.Errorf("%v, %v", m, err)
	}
}

func TestTolerance(t *testing.T) {
	key := webhook.GenerateSecret()
	header := sign(t, "msg_1", body, key)
	for _, tolerance := range []time.Duration{0, time.Second, time.Hour} {
		limit := tolerance
		if tolerance == 0 {
			limit = 5 * time.Minute
		}
		for late, want := range map[time.Duration]error{
			0: nil, limit: nil, -limit: nil,
			limit + 1: webhook.ErrTooOld, -limit - 1: webhook.ErrTooNew,
			math.MaxInt64: webhook.ErrTooOld, math.MinInt64: webhook.ErrTooNew,
		} {
			opts := webhook.VerifyOptions{Now: now.Add(late), Tolerance: tolerance}
			if _, err := webhook.Verify(header, body, opts, key); !errors.Is(err, want) {
				t.Errorf("%v late, tolerance %v: %v, want %v", late, tolerance, err, want)
			}
		}
	}
	if _, err := webhook.Verify(header, body, webhook.VerifyOptions{Now: now, Tolerance: -1}, key); err == nil {
		t.Error("verified with a negative tolerance")
	}
	// The time of the receiver's clock.
	if _, err := webhook.Verify(header, body, webhook.VerifyOptions{}, key); !errors.Is(err, webhook.ErrTooOld) {
		t.Error(err)
	}
	want := "webhook: message too old: its timestamp is 6m0s in the past; the tolerance is 5m0s"
	if _, err := webhook.Verify(header, body, webhook.VerifyOptions{Now: now.Add(6 * time.Minute)}, key); err == nil || err.Error() != want {
		t.Errorf("%v\nwant %s", err, want)
	}
}

func TestHeaders(t *testing.T) {
	key := webhook.GenerateSecret()
	good := sign(t, "msg_1", body, key)
	seconds, signature := good.Get(webhook.HeaderTimestamp), good.Get(webhook.HeaderSignature)
	for _, c := range []struct {
		name   string
		values []string
		want   error
	}{
		{webhook.HeaderID, nil, webhook.ErrMissingHeader},
		{webhook.HeaderID, []string{""}, webhook.ErrMissingHeader},
		{webhook.HeaderID, []string{"msg_1", "msg_1"}, webhook.ErrInvalidHeader},
		{webhook.HeaderID, []string{"", "msg_1"}, webhook.ErrInvalidHeader},
		{webhook.HeaderID, []string{"msg_1."}, webhook.ErrInvalidHeader},
		{webhook.HeaderID, []string{"msg_1 "}, webhook.ErrInvalidHeader},
		{webhook.HeaderID, []string{"msg_1\r\n folded"}, webhook.ErrInvalidHeader},
		{webhook.HeaderID, []string{strings.Repeat("a", 1<<20)}, webhook.ErrInvalidHeader},
		{webhook.HeaderID, []string{"msg_2"}, webhook.ErrNoMatchingSignature},
		{webhook.HeaderTimestamp, nil, webhook.ErrMissingHeader},
		{webhook.HeaderTimestamp, []string{seconds, seconds}, webhook.ErrInvalidHeader},
		{webhook.HeaderTimestamp, []string{strconv.FormatInt(now.Unix()+1, 10)}, webhook.ErrNoMatchingSignature},
		{webhook.HeaderTimestamp, []string{"0"}, webhook.ErrTooOld},
		{webhook.HeaderTimestamp, []string{"253402300799"}, webhook.ErrTooNew},
		{webhook.HeaderSignature, nil, webhook.ErrMissingHeader},
		{webhook.HeaderSignature, []string{""}, webhook.ErrMissingHeader},
		{webhook.HeaderSignature, []string{signature, signature}, webhook.ErrInvalidHeader},
		{webhook.HeaderSignature, []string{"v1,AAAA", signature}, webhook.ErrInvalidHeader},
		{webhook.HeaderSignature, []string{strings.Repeat("v9,x ", 16) + signature}, webhook.ErrInvalidHeader},
		{webhook.HeaderSignature, []string{strings.Repeat(" ", 1<<20) + signature}, webhook.ErrInvalidHeader},
		{webhook.HeaderSignature, []string{"v9," + strings.Repeat("x", 1<<20) + " " + signature}, webhook.ErrInvalidHeader},
		{webhook.HeaderSignature, []string{strings.Repeat("v9,x ", 15) + signature}, nil},
		{webhook.HeaderSignature, []string{"v9," + strings.Repeat("x", 8<<10) + " " + signature}, nil},
	} {
		if _, err := webhook.Verify(with(good, c.name, c.values...), body, at, key); !errors.Is(err, c.want) {
			t.Errorf("%s %.60q: %v, want %v", c.name, c.values, err, c.want)
		}
	}
	for _, bad := range []string{
		"", " ", "+" + seconds, "-" + seconds, " " + seconds, seconds + " ", "0" + seconds, "00", "-0", "-1", seconds + ".0", seconds + "e0",
		"1_700_000_000", "0x6553f100", "١٧٠٠٠٠٠٠٠٠", seconds + "\n", seconds + "\x00", "253402300800", "9223372036854775807", "9223372036854775808",
		"18446744075409551616", "36893488147419103232" + seconds, strings.Repeat("9", 1<<20), "NaN", "now",
	} {
		want := webhook.ErrInvalidTimestamp
		if bad == "" {
			want = webhook.ErrMissingHeader
		}
		if _, err := webhook.Verify(with(good, webhook.HeaderTimestamp, bad), body, at, key); !errors.Is(err, want) {
			t.Errorf("%.60q: %v", bad, err)
		}
	}
}

// Where parts of the signed content meet, nothing can move from one to the next.
func TestMovedDots(t *testing.T) {
	key := webhook.GenerateSecret()
	seconds := strconv.FormatInt(now.Unix(), 10)
	// The same content is signed: a.1700000000.1700000000.x
	header := sign(t, "a", []byte(seconds+".x"), key)
	for _, forged := range []http.Header{
		with(header, webhook.HeaderID, "a."+seconds),
		with(with(header, webhook.HeaderID, "a"), webhook.HeaderTimestamp, seconds+"."+seconds),
	} {
		m, err := webhook.Verify(forged, []byte("x"), at, key)
		if err == nil {
			t.Errorf("%v: %v", forged, m)
		}
	}
	if _, err := webhook.Verify(header, []byte(seconds+".x"), at, key); err != nil {
		t.Error(err)
	}
}

func TestSignaturesThatDoNotMatch(t *testing.T) {
	secret, signing := webhook.GenerateSecret(), webhook.GenerateSigningKey()
	header := sign(t, "msg_1", body, secret, signing)
	v1, v1a, _ := strings.Cut(header.Get(webhook.HeaderSignature), " ")
	mac, ed := v1[len("v1,"):], v1a[len("v1a,"):]

	// The public key as if it were a secret, in each form that is at hand.
	public := signing.Public().String()
	var confused []string
	for _, text := range []string{public[len("whpk_"):], b64([]byte(public))} {
		asSecret, err := webhook.ParseSecret("whsec_" + text)
		if err != nil {
			t.Fatal(err)
		}
		made := sign(t, "msg_1", body, asSecret).Get(webhook.HeaderSignature)
		confused = append(confused, made, strings.Replace(made, "v1,", "v1a,", 1))
	}
	// Bits that base64 does not use, set: the same bytes for a decoder that does not care.
	last := func(text string, behind int) string {
		const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
		i := len(text) - behind - 1
		return text[:i] + alphabet[strings.IndexByte(alphabet, text[i])+1:][:1] + text[i+1:]
	}
	bad := slices.Concat(confused, []string{
		"v1", "v1a", ",", "v1,", "v1a,", "v1,=", " ", "v1 ," + mac, mac, ed, "," + mac, "v1" + mac, "v1:" + mac, "v1=" + mac,
		"V1," + mac, "v01," + mac, "v1b," + mac, "v2," + mac, "v1a," + mac, "v1," + ed, "v1, " + mac, "v1,," + mac, "v1,\t" + mac,
		"v1," + mac[:43], "v1," + mac[:40], "v1," + mac[:10], "v1," + mac + "=", "v1," + mac + "A", "v1," + mac + "," + mac, "v1," + mac + ",v1",
		"v1," + mac[:20] + "\n" + mac[20:], "v1," + mac + "\n", "v1," + mac[:43] + "\x00", "v1," + strings.ToLower(mac), "v1," + last(mac, 1),
		"v1," + b64(make([]byte, 32)), "v1," + b64(make([]byte, 31)), "v1," + b64(make([]byte, 33)), "v1," + b64([]byte(mac)),
		"v1a," + ed[:86], "v1a," + ed[:84], "v1a," + ed[:80], "v1a," + ed + "=", "v1a," + ed[:20] + "\n" + ed[20:], "v1a," + last(ed, 2), "v1a," + b64(make([]byte, 64)),
		"v1," + mac[:20] + " " + mac[20:], "v1\n," + mac,
	})
	for _, signatures := range bad {
		m, err := webhook.Verify(with(header, webhook.HeaderSignature, signatures), body, at, secret, signing.Public())
		if err == nil || m != (webhook.Message{}) {
			t.Errorf("%q is verified", signatures)
		}
	}
	// By itself each is right, and URL-safe base64 is not standard base64.
	for _, signatures := range []string{v1, v1a} {
		if _, err := webhook.Verify(with(header, webhook.HeaderSignature, signatures), body, at, secret, signing.Public()); err != nil {
			t.Errorf("%q: %v", signatures, err)
		}
	}
	for i := range 1000 {
		made := sign(t, fmt.Sprint("msg_", i), body, secret).Get(webhook.HeaderSignature)
		if url := strings.NewReplacer("+", "-", "/", "_").Replace(made); url != made {
			if _, err := webhook.Verify(with(header, webhook.HeaderSignature, url), body, at, secret); err == nil {
				t.Errorf("%q is verified", url)
			}
			break
		}
	}
	for _, changed := range []string{"", " ", string(body) + " ", string(body) + "\n", string(body[1:]), strings.ToUpper(string(body))} {
		if _, err := webhook.Verify(header, []byte(changed), at, secret, signing.Public()); !errors.Is(err, webhook.ErrNoMatchingSignature) {
			t.Errorf("body %q: %v", changed, err)
		}
	}
}

// While keys rotate, old and new ones overlap on either side.
func TestRotation(t *testing.T) {
	old, fresh, other := webhook.GenerateSecret(), webhook.GenerateSecret(), webhook.GenerateSecret()
	pair := webhook.GenerateSigningKey()
	for _, c := range []struct {
		signed   []webhook.Signer
		verified []webhook.Verifier
		want     error
	}{
		{[]webhook.Signer{old, fresh}, []webhook.Verifier{old}, nil},
		{[]webhook.Signer{old, fresh}, []webhook.Verifier{fresh}, nil},
		{[]webhook.Signer{old}, []webhook.Verifier{fresh, old}, nil},
		{[]webhook.Signer{fresh}, []webhook.Verifier{old, fresh}, nil},
		{[]webhook.Signer{old, pair}, []webhook.Verifier{pair.Public()}, nil},
		{[]webhook.Signer{pair, old}, []webhook.Verifier{fresh, old}, nil},
		{[]webhook.Signer{old, fresh}, []webhook.Verifier{other}, webhook.ErrNoMatchingSignature},
		{[]webhook.Signer{pair}, []webhook.Verifier{old, webhook.GenerateSigningKey().Public()}, webhook.ErrNoMatchingSignature},
		{slices.Concat(slices.Repeat([]webhook.Signer{other}, 15), []webhook.Signer{old}), []webhook.Verifier{old}, nil},
	} {
		if _, err := webhook.Verify(sign(t, "msg_1", body, c.signed...), body, at, c.verified...); !errors.Is(err, c.want) {
			t.Errorf("%d signed, %d verify: %v, want %v", len(c.signed), len(c.verified), err, c.want)
		}
	}
}
