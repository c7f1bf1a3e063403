package outbox

import (
	"context"
	"errors"
	"strings"

	"github.com/hegner123/modulagen/runtime/mail"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// checked marks the context of rows that Send adds: it has checked them.
type checked struct{}

// Check returns what the effect on a mailbox runs: it refuses new rows that could not be sent.
// Generated code calls it.
func Check(s *Spec) func(ctx context.Context, c *core.Conn, changes []core.Change) error {
	return func(ctx context.Context, c *core.Conn, changes []core.Change) error {
		if ctx.Value(checked{}) != nil {
			return nil
		}
		for _, ch := range changes {
			row := s.RowOf(ch.After)
			if _, err := row.outgoing(s.Name, c.DB().Clock()); err != nil {
				return s.violations(err)
			}
		}
		return nil
	}
}

// keys are the fields of messages, by their names in Go.
var keys = map[string]string{
	"From": "from", "To": "to", "Cc": "cc", "Bcc": "bcc", "ReplyTo": "reply_to", "Subject": "subject", "HTML": "body_html", "Plain": "body_plain",
	"Headers": "headers", "Attachments": "attachments", "ListUnsubscribe": "list_unsubscribe", "Stream": "stream", "Locale": "locale", "Tags": "tags",
	"IdempotencyKey": "idempotency_key",
}

// violations is an error about a message as one about its row.
func (s *Spec) violations(err error) error {
	var out []store.Violation
	for _, one := range each(err) {
		wrong, ok := errors.AsType[*mail.InvalidError](one)
		if !ok {
			return one
		}
		name, _, _ := strings.Cut(wrong.Field, "[")
		field := s.Columns[keys[name]]
		if field == "" {
			field = s.Columns["to"]
		}
		out = append(out, store.Violation{Field: field, Rule: "mail", Message: wrong.Problem})
	}
	return &store.ValidationError{Datatype: s.Name, Violations: out, Cause: err}
}

// each takes errors apart that errors.Join has joined.
func each(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	return joined.Unwrap()
}
