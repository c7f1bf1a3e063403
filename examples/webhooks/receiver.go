package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/hegner123/modulagen/runtime/webhook"
)

// receiver is the program that gets webhooks. It verifies each by a middleware of this
// project and, as any other receiver would, by the library of Standard Webhooks.
type receiver struct {
	*httptest.Server
	signed  atomic.Pointer[http.Handler]
	library atomic.Pointer[standardwebhooks.Webhook]
	calls   atomic.Int64
}

func newReceiver() *receiver {
	r := &receiver{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /webhooks", func(w http.ResponseWriter, req *http.Request) {
		if handler := r.signed.Load(); handler != nil {
			(*handler).ServeHTTP(w, req)
			return
		}
		http.Error(w, "no secret yet", http.StatusServiceUnavailable)
	})
	mux.HandleFunc("POST /purge", func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("Authorization") != "Bearer purge-token" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		var body struct{ Files []string }
		if json.NewDecoder(req.Body).Decode(&body) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		fmt.Println("CDN: purged", body.Files)
	})
	r.Server = httptest.NewServer(mux)
	return r
}

// trust has the receiver take messages that are signed with a secret.
func (r *receiver) trust(text string) error {
	secret, err := webhook.ParseSecret(text)
	if err != nil {
		return err
	}
	library, err := standardwebhooks.NewWebhook(text)
	if err != nil {
		return err
	}
	verified, err := webhook.NewReceiver(http.HandlerFunc(r.handle), webhook.ReceiverOptions{Keys: []webhook.Verifier{secret}})
	if err != nil {
		return err
	}
	var handler http.Handler = verified
	r.library.Store(library)
	r.signed.Store(&handler)
	return nil
}

// handle gets verified messages, each once. It fails the first time.
func (r *receiver) handle(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err = errors.Join(err, r.library.Load().Verify(body, req.Header)); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if r.calls.Add(1) == 1 {
		fmt.Println("CRM: not now")
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	var message struct {
		Type string
		Data struct{ Title, Status string }
	}
	if err := json.Unmarshal(body, &message); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fmt.Printf("CRM: %s: %q is %s\n", message.Type, message.Data.Title, message.Data.Status)
}
