package outbox

import (
	"context"
	"iter"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// Spec is what generated code says about a mailbox: how its rows, and those of its
// suppressions, are read and written. Functions are nil where the datatype lacks the field.
type Spec struct {
	Name      string            // the datatype
	Mailboxes []string          // all mailboxes of the project
	Columns   map[string]string // the names of its fields, by the keys of the section
	Resend    bool              // a message that may have been sent is sent again

	Enqueue       func(ctx context.Context, c *core.Conn, list []*Row) error                                 // sets their ids
	ByKeys        func(ctx context.Context, c *core.Conn, keys []string) iter.Seq2[*Row, error]              // with one of the idempotency keys
	SetRecipients func(ctx context.Context, c *core.Conn, id int64, recipients store.JSON) error             // what became of each
	Suppressions  func(ctx context.Context, c *core.Conn, addresses []string) iter.Seq2[*Suppression, error] // of these addresses
	Suppress      func(ctx context.Context, c *core.Conn, list []*Suppression) error                         // adds suppressions

	RowOf func(row any) *Row // of a row of the mailbox
}

// Row is a message as it is stored.
type Row struct {
	ID                   int64
	To, Cc, Bcc          string // addresses, with commas between them
	From, ReplyTo        string
	Subject, HTML, Plain string
	Headers              store.JSON // an object of names and texts
	Attachments          store.JSON // a list of attachment
	MessageID            string     // "": made from the row
	ListUnsubscribe      string
	Stream, Locale       string
	Tags                 store.JSON // a list of texts
	IdempotencyKey       string
	Domain               string     // of the first recipient
	Recipients           store.JSON // see recipients
	Date                 time.Time  // zero: the datatype does not keep it
	SendAt               time.Time  // of a new row; zero: now
}

// Suppression is a row of the suppressions.
type Suppression struct {
	ID      int64
	Address string // as mail.Address.Key returns it
	Stream  string // "": no mail at all
	Reason  string
	Detail  string
	At      time.Time
}
