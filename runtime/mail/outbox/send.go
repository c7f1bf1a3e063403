package outbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hegner123/modulagen/runtime/mail"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// Send adds messages to a mailbox, all or none, and returns their ids. Generated code calls it.
func Send[ID ~int64](ctx context.Context, c *core.Conn, s *Spec, ms []mail.Message) ([]ID, error) {
	list, err := s.prepare(c.DB().Clock(), ms)
	if err != nil {
		return nil, err
	}
	if err := s.add(context.WithValue(ctx, checked{}, true), c, list); err != nil {
		return nil, err
	}
	ids := make([]ID, len(list))
	for i, row := range list {
		ids[i] = ID(row.ID)
	}
	return ids, nil
}

// SendOne is Send of one message. Generated code calls it.
func SendOne(ctx context.Context, c *core.Conn, s *Spec, m mail.Message) (int64, error) {
	ids, err := Send[int64](ctx, c, s, []mail.Message{m})
	if err != nil {
		return 0, err
	}
	return ids[0], nil
}

// CheckMessage returns everything that would have Send refuse a message. Generated code calls it.
func CheckMessage(s *Spec, m mail.Message) error {
	_, err := s.prepare(time.Unix(0, 0), []mail.Message{m})
	return err
}

// prepare makes rows of messages, and returns everything that is wrong with them.
func (s *Spec) prepare(now time.Time, ms []mail.Message) ([]*Row, error) {
	list := make([]*Row, len(ms))
	var wrong []error
	for i := range ms {
		o, err := ms[i].Prepare(now)
		if err == nil {
			list[i], err = newRow(&ms[i], o)
		}
		if err == nil {
			err = s.lacks(&ms[i], list[i])
		}
		if err != nil && len(ms) > 1 {
			err = fmt.Errorf("message %d of %d: %w", i+1, len(ms), err)
		}
		wrong = append(wrong, err)
	}
	return list, errors.Join(wrong...)
}

// lacks refuses a message with something that the mailbox has no field for: it would be sent
// without that.
func (s *Spec) lacks(m *mail.Message, r *Row) error {
	var wrong []error
	for _, has := range []struct {
		is         bool
		field, key string
	}{
		{r.Subject != "", "Subject", "subject"},
		{r.Cc != "", "Cc", "cc"},
		{r.Bcc != "", "Bcc", "bcc"},
		{r.ReplyTo != "", "ReplyTo", "reply_to"},
		{r.HTML != "", "HTML", "body_html"},
		{m.Plain != "", "Plain", "body_plain"},
		{len(r.Headers) > 0, "Headers", "headers"},
		{len(r.Attachments) > 0, "Attachments", "attachments"},
		{r.ListUnsubscribe != "", "ListUnsubscribe", "list_unsubscribe"},
		{r.Stream != "", "Stream", "stream"},
		{r.Locale != "", "Locale", "locale"},
		{len(r.Tags) > 0, "Tags", "tags"},
		{r.IdempotencyKey != "", "IdempotencyKey", "idempotency_key"},
	} {
		if has.is && s.Columns[has.key] == "" {
			wrong = append(wrong, &mail.InvalidError{Field: has.field, Problem: fmt.Sprintf("%s has no field %s for it", s.Name, has.key)})
		}
	}
	return errors.Join(wrong...)
}

// addTries is how often messages are added whose keys other processes add at the same time.
const addTries = 5

// add adds the rows whose keys are not there yet, and sets the ids of all.
func (s *Spec) add(ctx context.Context, c *core.Conn, list []*Row) error {
	for try := 1; ; try++ {
		err := c.InTx(ctx, func(c *core.Conn) error { return s.addOnce(ctx, c, list) })
		if err == nil || !errors.Is(err, store.ErrConflict) || c.InTransaction() || try == addTries {
			return err
		}
	}
}

func (s *Spec) addOnce(ctx context.Context, c *core.Conn, list []*Row) error {
	there, err := s.there(ctx, c, list)
	if err != nil {
		return err
	}
	var added []*Row
	first := map[string]*Row{} // of the rows of the list with a key
	for _, row := range list {
		key := row.IdempotencyKey
		if row.ID = there[key]; key != "" && (row.ID != 0 || first[key] != nil) {
			continue
		}
		first[key], added = row, append(added, row)
	}
	if len(added) > 0 {
		if err := s.Enqueue(ctx, c, added); err != nil {
			return err
		}
	}
	for _, row := range list {
		if row.IdempotencyKey != "" && row.ID == 0 {
			row.ID = first[row.IdempotencyKey].ID
		}
	}
	return nil
}

// keysAtOnce is how many idempotency keys are looked up in one statement.
const keysAtOnce = 500

// there returns the ids of the messages that have the keys of a list.
func (s *Spec) there(ctx context.Context, c *core.Conn, list []*Row) (map[string]int64, error) {
	var keys []string
	for _, row := range list {
		if row.IdempotencyKey != "" {
			keys = append(keys, row.IdempotencyKey)
		}
	}
	ids := make(map[string]int64, len(keys))
	for len(keys) > 0 {
		n := min(len(keys), keysAtOnce)
		for row, err := range s.ByKeys(ctx, c, keys[:n]) {
			if err != nil {
				return nil, err
			}
			ids[row.IdempotencyKey] = cmp.Or(ids[row.IdempotencyKey], row.ID)
		}
		keys = keys[n:]
	}
	return ids, nil
}
