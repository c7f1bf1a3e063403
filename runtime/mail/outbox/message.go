package outbox

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/hegner123/modulagen/runtime/mail"
	"github.com/hegner123/modulagen/runtime/mail/protocol"
	"github.com/hegner123/modulagen/runtime/store"
)

// attachment is a file as it is stored.
type attachment struct {
	Name      string `json:"name"`
	Type      string `json:"type,omitempty"`
	Data      []byte `json:"data,omitzero"` // base64; an empty file has ""
	Ref       string `json:"ref,omitempty"`
	ContentID string `json:"content_id,omitempty"`
}

// newRow is a message that was prepared, as it is stored.
func newRow(m *mail.Message, o *mail.Outgoing) (*Row, error) {
	r := &Row{
		To: mail.FormatAddressList(o.To), Cc: mail.FormatAddressList(o.Cc), Bcc: mail.FormatAddressList(o.Bcc),
		From: o.From.String(), ReplyTo: mail.FormatAddressList(o.ReplyTo),
		Subject: o.Subject, HTML: o.HTML, Plain: o.Plain, MessageID: o.MessageID,
		ListUnsubscribe: o.ListUnsubscribe, Stream: o.Stream, Locale: o.Locale,
		IdempotencyKey: m.IdempotencyKey, Domain: o.Recipients()[0].Domain(), Date: o.Date, SendAt: m.SendAt,
	}
	var err error
	if len(o.Headers) > 0 {
		if r.Headers, err = json.Marshal(o.Headers); err != nil {
			return nil, err
		}
	}
	if len(o.Tags) > 0 {
		if r.Tags, err = json.Marshal(o.Tags); err != nil {
			return nil, err
		}
	}
	if len(o.Attachments) > 0 {
		list := make([]attachment, len(o.Attachments))
		for i, a := range o.Attachments {
			list[i] = attachment(a)
		}
		if r.Attachments, err = json.Marshal(list); err != nil {
			return nil, err
		}
		if n := len(r.Attachments); n > protocol.MaxAttachments {
			return nil, &mail.InvalidError{Field: "Attachments", Problem: fmt.Sprintf("are %d bytes as they are stored, and a row holds %d; name large files by Ref", n, protocol.MaxAttachments)}
		}
	}
	return r, nil
}

// outgoing is the row as a message that can be sent. The error is mail.ErrInvalid where it
// cannot: rows can be written past Send.
func (r *Row) outgoing(mailbox string, now time.Time) (*mail.Outgoing, error) {
	m, err := r.message()
	if err != nil {
		return nil, err
	}
	if !r.Date.IsZero() {
		now = r.Date
	}
	o, err := m.Prepare(now)
	if err != nil {
		return nil, err
	}
	o.Mailbox, o.ID = mailbox, r.ID
	if o.MessageID = r.MessageID; o.MessageID == "" {
		o.MessageID = r.derivedID(mailbox, o.From)
	}
	return o, nil
}

// message is the row as what Send takes.
func (r *Row) message() (*mail.Message, error) {
	m := &mail.Message{
		From: r.From, Subject: r.Subject, HTML: r.HTML, Plain: r.Plain, ListUnsubscribe: r.ListUnsubscribe,
		Stream: r.Stream, Locale: r.Locale, IdempotencyKey: r.IdempotencyKey,
	}
	for _, list := range []struct {
		field, text string
		to          *[]string
	}{{"To", r.To, &m.To}, {"Cc", r.Cc, &m.Cc}, {"Bcc", r.Bcc, &m.Bcc}, {"ReplyTo", r.ReplyTo, &m.ReplyTo}} {
		if list.text == "" {
			continue
		}
		addresses, err := mail.ParseAddressList(list.text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", list.field, err)
		}
		for _, a := range addresses {
			*list.to = append(*list.to, a.String())
		}
	}
	if err := decode("Headers", r.Headers, &m.Headers, "an object of names and texts"); err != nil {
		return nil, err
	}
	if err := decode("Tags", r.Tags, &m.Tags, "a list of texts"); err != nil {
		return nil, err
	}
	var files []attachment
	if err := decode("Attachments", r.Attachments, &files, `a list of objects with "name", and "data" as base64 or "ref"`); err != nil {
		return nil, err
	}
	for _, f := range files {
		m.Attachments = append(m.Attachments, mail.Attachment(f))
	}
	return m, nil
}

// decode reads a document of a row. What the decoder says is left out: it quotes the document.
func decode(field string, text store.JSON, into any, what string) error {
	if len(text) == 0 {
		return nil
	}
	if json.Unmarshal(text, into) != nil {
		return &mail.InvalidError{Field: field, Problem: "is not " + what}
	}
	return nil
}

// derivedID is the Message-ID of a row that has none: the same in each attempt.
func (r *Row) derivedID(mailbox string, from mail.Address) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d\x00%d\x00%s\x00%s", mailbox, r.ID, r.Date.UnixMicro(), r.To, r.Subject))
	return hex.EncodeToString(sum[:16]) + "@" + from.Domain()
}
