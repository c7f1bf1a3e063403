package outbox_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/runtime/mail"
	"github.com/hegner123/modulagen/runtime/mail/outbox"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"
)

// TestSendOne adds one message, and CheckMessage refuses before what it would.
func TestSendOne(t *testing.T) {
	db, err := core.Open(t.Context(), "sqlite::memory:", nil, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	added := 0
	s := &outbox.Spec{Name: "email_queue", Columns: map[string]string{"subject": "subject", "body_plain": "plain"}}
	s.Enqueue = func(_ context.Context, _ *core.Conn, list []*outbox.Row) error {
		added++
		list[0].ID = 7
		return nil
	}
	m := mail.Message{From: "a@example.com", To: []string{"b@example.com"}, Subject: "s", Plain: "p"}
	if err := outbox.CheckMessage(s, m); err != nil || added != 0 {
		t.Errorf("checked: %v, added %d", err, added)
	}
	if id, err := outbox.SendOne(t.Context(), db.Conn(), s, m); err != nil || id != 7 || added != 1 {
		t.Errorf("sent: %d, %v, added %d", id, err, added)
	}
	for want, change := range map[string]func(*mail.Message){
		"To":              func(m *mail.Message) { m.To = []string{"nobody"} },
		"Subject":         func(m *mail.Message) { m.Subject = "a\r\nBcc: x@example.com" },
		"has no field":    func(m *mail.Message) { m.HTML = "<p>" },
		"idempotency_key": func(m *mail.Message) { m.IdempotencyKey = "k" },
	} {
		bad := m
		change(&bad)
		err := outbox.CheckMessage(s, bad)
		_, sendErr := outbox.SendOne(t.Context(), db.Conn(), s, bad)
		if !errors.Is(err, mail.ErrInvalid) || !strings.Contains(err.Error(), want) || !errors.Is(sendErr, mail.ErrInvalid) || added != 1 {
			t.Errorf("%s: %v, %v", want, err, sendErr)
		}
	}
}
