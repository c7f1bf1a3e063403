package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/examples/signup/generated"
	"github.com/hegner123/modulagen/runtime/mail"
	"github.com/hegner123/modulagen/runtime/mail/mailtest"
)

// program is the program with a database and a mail server of the test's own.
type program struct {
	*testing.T
	*app
	web http.Handler
	srv *mailtest.Server
}

func start(t *testing.T) program {
	db, err := generated.Open(t.Context(), "sqlite::memory:", generated.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	a, err := newApp(db, "https://shop.example/unsubscribe", mail.NewSecret(strings.Repeat("k3y ", 16)))
	if err != nil {
		t.Fatal(err)
	}
	return program{t, a, a.routes(), mailtest.NewServer(t, mailtest.Options{})}
}

// post sends a form, and compares the status of the answer.
func (p program) post(target string, want int, form ...string) {
	p.Helper()
	values := url.Values{}
	for i := 0; i < len(form); i += 2 {
		values.Set(form[i], form[i+1])
	}
	r := httptest.NewRequestWithContext(p.Context(), http.MethodPost, target, strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	p.web.ServeHTTP(w, r)
	if w.Code != want {
		p.Fatalf("POST %s: %d %s, want %d", target, w.Code, w.Body, want)
	}
}

// send sends what is due, and returns all that has arrived.
func (p program) send() []mailtest.Message {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.Context(), 30*time.Second)
	defer cancel()
	if err := p.db.Drain(ctx, generated.Workers{Mail: p.srv.SMTP()}); err != nil {
		p.Fatal(err)
	}
	return p.srv.Messages()
}

func TestSignUp(t *testing.T) {
	p := start(t)
	p.post("/signup", http.StatusNoContent, "name", "Ann <3", "email", "ann@example.com")
	p.post("/signup", http.StatusNoContent, "name", "Jürgen", "email", "juergen@example.com", "locale", "de-AT")
	// What is refused sends nothing: the address is taken, or is none, or the name is missing.
	p.post("/signup", http.StatusUnprocessableEntity, "name", "Eve", "email", "ann@example.com")
	p.post("/signup", http.StatusUnprocessableEntity, "name", "Eve", "email", "eve")
	p.post("/signup", http.StatusUnprocessableEntity, "email", "eve@example.com")

	arrived := p.send()
	if len(arrived) != 2 {
		t.Fatalf("%d messages have arrived, want 2", len(arrived))
	}
	byRecipient := map[string]mailtest.Message{}
	for _, m := range arrived {
		byRecipient[strings.Join(m.To, " ")] = m
	}
	if m := byRecipient["ann@example.com"]; m.Subject != "Welcome, Ann <3" || !strings.HasPrefix(m.Text, "Hello Ann <3,") || !strings.Contains(m.HTML, "Hello Ann &lt;3,") {
		t.Errorf("in English: %q\n%s\n%s", m.Subject, m.Text, m.HTML)
	}
	if m := byRecipient["juergen@example.com"]; m.Subject != "Willkommen, Jürgen" || !strings.HasPrefix(m.Text, "Hallo Jürgen,") {
		t.Errorf("in German: %q\n%s", m.Subject, m.Text)
	}
}

func TestUnsubscribe(t *testing.T) {
	p := start(t)
	p.post("/signup", http.StatusNoContent, "name", "Ann", "email", "ann@example.com")
	for range 2 { // the second time it adds nothing
		p.post("/newsletter", http.StatusNoContent, "issue", "1", "title", "We have moved", "text", "See you.")
	}
	arrived := p.send()
	if len(arrived) != 2 { // the welcome and the issue
		t.Fatalf("%d messages have arrived, want 2", len(arrived))
	}
	var link string
	for _, m := range arrived {
		if m.Subject == "We have moved" {
			link = strings.Trim(m.Header("List-Unsubscribe"), "<>")
		}
	}
	// As mail programs do it: RFC 8058.
	p.post(link, http.StatusOK, "List-Unsubscribe", "One-Click")
	p.post("/newsletter", http.StatusNoContent, "issue", "2", "title", "Again", "text", "x")
	if n := len(p.send()); n != 2 {
		t.Errorf("%d messages have arrived, want no second issue", n)
	}
	row, err := p.db.Newsletter.GetByIdempotencyKey(t.Context(), "2/1")
	if err != nil || row.Status != generated.NewsletterStatusFailed {
		t.Fatalf("the second issue: %+v, %v", row, err)
	}
	if !strings.Contains(row.Error.V, "unsubscribed") {
		t.Errorf("the row says %q", row.Error.V)
	}
}
