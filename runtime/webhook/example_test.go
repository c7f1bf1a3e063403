package webhook_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/hegner123/modulagen/runtime/webhook"
)

// A sender and a receiver that share a secret. The second attempt is a duplicate: it is
// answered 200, and the handler is not called.
func Example() {
	secret := webhook.GenerateSecret()

	receiver, err := webhook.NewReceiver(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		message, _ := webhook.MessageFrom(r.Context())
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, "not read", http.StatusInternalServerError)
			return
		}
		fmt.Println("handled:", message.ID, string(body))
		w.WriteHeader(http.StatusAccepted)
	}), webhook.ReceiverOptions{Keys: []webhook.Verifier{secret}})
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("POST /webhooks", receiver)
	server := httptest.NewServer(mux)
	defer server.Close()

	body := []byte(`{"type":"order.paid","order":7}`)
	for range 2 {
		header, err := webhook.Sign("msg_4711", time.Now(), body, secret)
		if err != nil {
			fmt.Println(err)
			return
		}
		req, err := http.NewRequest("POST", server.URL+"/webhooks", bytes.NewReader(body))
		if err != nil {
			fmt.Println(err)
			return
		}
		req.Header = header
		req.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			fmt.Println(err)
			return
		}
		res.Body.Close()
		fmt.Println("answered:", res.Status)
	}
	// Output:
	// handled: msg_4711 {"type":"order.paid","order":7}
	// answered: 202 Accepted
	// answered: 200 OK
}

// A message of the specification's example, signed by the old and the new key while they
// rotate.
func ExampleSign() {
	old, err := webhook.ParseSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		fmt.Println(err)
		return
	}
	key, err := webhook.ParseSigningKey("whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=")
	if err != nil {
		fmt.Println(err)
		return
	}
	header, err := webhook.Sign("msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`), old, key)
	if err != nil {
		fmt.Println(err)
		return
	}
	header.Write(writer{})
	// Output:
	// Webhook-Id: msg_p5jXN8AQM9LWM0D4loKWxJek
	// Webhook-Signature: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag==
	// Webhook-Timestamp: 1614265330
}

// writer prints lines with \n for \r\n.
type writer struct{}

func (writer) Write(p []byte) (int, error) {
	fmt.Print(string(bytes.ReplaceAll(p, []byte("\r\n"), []byte("\n"))))
	return len(p), nil
}

// A program that receives messages in another way than by HTTP handlers verifies them by
// itself. It has the public key alone.
func ExampleVerify() {
	key := webhook.GenerateSigningKey()
	body := []byte(`{"order":7}`)
	header, err := webhook.Sign("msg_4711", time.Now(), body, key)
	if err != nil {
		fmt.Println(err)
		return
	}

	message, err := webhook.Verify(header, body, webhook.VerifyOptions{}, key.Public())
	fmt.Println(message.ID, err)

	_, err = webhook.Verify(header, []byte(`{"order":8}`), webhook.VerifyOptions{}, key.Public())
	fmt.Println(errors.Is(err, webhook.ErrNoMatchingSignature))

	later := time.Now().Add(10 * time.Minute)
	_, err = webhook.Verify(header, body, webhook.VerifyOptions{Now: later}, key.Public())
	fmt.Println(errors.Is(err, webhook.ErrTooOld))
	// Output:
	// msg_4711 <nil>
	// true
	// true
}

// Secrets are shown by Reveal alone.
func ExampleSecret() {
	secret, err := webhook.ParseSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	fmt.Println(secret, err)
	fmt.Println(secret.Reveal())

	_, err = webhook.ParseSecret("whsec_dG9vIHNob3J0")
	fmt.Println(err)
	// Output:
	// *** <nil>
	// whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
	// webhook: invalid key: the secret has 9 bytes; write whsec_ and the base64 of 24 to 64 random bytes (openssl rand -base64 32)
}
